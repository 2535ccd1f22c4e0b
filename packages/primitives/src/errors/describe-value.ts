/** Longer strings are described by their length: an error is not a place for payloads. */
const MAX_SHOWN_UNITS = 64;

/**
 * Describes a value in an error message: numbers, booleans and short strings as JSON, everything else by its type.
 *
 * @returns one line without control characters, of about 400 characters at most
 */
export function describeValue(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return value.length > MAX_SHOWN_UNITS
        ? `a string of ${value.length} UTF-16 units`
        : JSON.stringify(value);
    case 'number':
    case 'boolean':
      return String(value);
    default:
      return Array.isArray(value) ? `an array of ${value.length}` : describeType(value);
  }
}

/** Describes a value by its type only, for values that may be secret and must not appear in errors. */
export function describeType(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (Array.isArray(value)) return 'an array';
  if (isBytes(value)) return `${value.length} bytes`;
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

/** Returns true for a `Uint8Array`, also one of another realm, such as a frame or a sandbox. */
export function isBytes(value: unknown): value is Uint8Array {
  return value instanceof Uint8Array || Object.prototype.toString.call(value) === '[object Uint8Array]';
}
