const typedArray = Object.getPrototypeOf(Uint8Array.prototype);
const kindGetter = Object.getOwnPropertyDescriptor(typedArray, Symbol.toStringTag).get;
const lengthGetter = Object.getOwnPropertyDescriptor(typedArray, 'length').get;

/*
 * The getters of the language itself see what an array is, of whatever realm or class, and cannot be fooled by a
 * `length` that somebody wrote.
 */
const kindOf = Function.prototype.call.bind(kindGetter);
const lengthOf = Function.prototype.call.bind(lengthGetter);

/** The length of `value`. @throws TypeError when it is no Uint8Array */
export function bytesLength(value, what) {
  if (kindOf(value) !== 'Uint8Array') throw wrongType(what, 'a Uint8Array');
  return lengthOf(value);
}

/** The same for an item of a list, whose name is made only when it is needed. */
export function itemLength(value, index) {
  if (kindOf(value) !== 'Uint8Array') throw wrongType(`item ${index} of the list`, 'a Uint8Array');
  return lengthOf(value);
}

/** False when it has another length. @throws TypeError when it is no Uint8Array, or has none because it is detached */
export function hasLength(value, length, what) {
  if (bytesLength(value, what) === length) return true;
  if (value.buffer.detached) throw wrongType(what, 'a Uint8Array whose buffer is not detached');
  return false;
}

/** @throws RangeError when it has another length */
export function requireLength(value, length, what) {
  if (hasLength(value, length, what)) return;
  const error = new RangeError(`${what} must have ${length} bytes, and has ${lengthOf(value)}`);
  throw Object.assign(error, { code: 'ERR_OUT_OF_RANGE' });
}

/** A list as an array that nobody else has, so that no getter of it runs later. @throws TypeError when it is none */
export function listOf(value, what) {
  if (!Array.isArray(value)) throw wrongType(what, 'an array');
  const list = [];
  for (let i = 0; i < value.length; i++) list.push(value[i]);
  return list;
}

function wrongType(what, expected) {
  return Object.assign(new TypeError(`${what} must be ${expected}`), { code: 'ERR_INVALID_ARG_TYPE' });
}
