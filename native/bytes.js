const typedArray = Object.getPrototypeOf(Uint8Array.prototype);
const kindGetter = Object.getOwnPropertyDescriptor(typedArray, Symbol.toStringTag).get;
const lengthGetter = Object.getOwnPropertyDescriptor(typedArray, 'length').get;

/*
 * The built-in getters recognise an array of any realm or class, and ignore a `length` that a caller has defined.
 */
const kindOf = Function.prototype.call.bind(kindGetter);
const lengthOf = Function.prototype.call.bind(lengthGetter);

/** The length of `value`. @throws TypeError when it is no Uint8Array */
export function bytesLength(value, what) {
  if (kindOf(value) !== 'Uint8Array') throw wrongType(what, 'a Uint8Array');
  return lengthOf(value);
}

/** Like {@link bytesLength} for an item of a list; its name is created only for an error. */
export function itemLength(value, index) {
  if (kindOf(value) !== 'Uint8Array') throw wrongType(`item ${index} of the list`, 'a Uint8Array');
  return lengthOf(value);
}

/** False when it has another length. @throws TypeError when it is not a Uint8Array, or when it is detached */
export function hasLength(value, length, what) {
  if (bytesLength(value, what) === length) return true;
  if (value.buffer.detached) throw wrongType(what, 'a Uint8Array whose buffer is not detached');
  return false;
}

/** @throws RangeError when it has another length */
export function requireLength(value, length, what) {
  if (hasLength(value, length, what)) return;
  const error = new RangeError(`${what} must have ${length} bytes, got ${lengthOf(value)}`);
  throw Object.assign(error, { code: 'ERR_OUT_OF_RANGE' });
}

/** Copies a list, so that none of its getters runs later. @throws TypeError when it is not a list */
export function listOf(value, what) {
  if (!Array.isArray(value)) throw wrongType(what, 'an array');
  const list = [];
  for (let i = 0; i < value.length; i++) list.push(value[i]);
  return list;
}

function wrongType(what, expected) {
  return Object.assign(new TypeError(`${what} must be ${expected}`), { code: 'ERR_INVALID_ARG_TYPE' });
}
