import type { JsonObject, JsonValue } from '@esdb-gater/types';

/**
 * Returns true when both values have the same RFC 8785 form: member order does not matter, numbers are compared by
 * value (-0 is 0), strings by their UTF-16 units. Both must come from `JSON.parse`.
 */
export function jsonEqual(left: JsonValue, right: JsonValue): boolean {
  if (left === right) return true;
  if (typeof left !== 'object' || typeof right !== 'object' || left === null || right === null) return false;
  if (Array.isArray(left) || Array.isArray(right)) {
    return Array.isArray(left) && Array.isArray(right) && arraysEqual(left, right);
  }
  return objectsEqual(left as JsonObject, right as JsonObject);
}

/** Compares JSON texts like `jsonEqual`. Equal texts, the usual case of a retry, are not parsed. */
export function jsonTextEqual(left: string, right: string): boolean {
  return left === right || jsonEqual(JSON.parse(left) as JsonValue, JSON.parse(right) as JsonValue);
}

function arraysEqual(left: readonly JsonValue[], right: readonly JsonValue[]): boolean {
  if (left.length !== right.length) return false;
  return left.every((item, index) => jsonEqual(item, right[index] as JsonValue));
}

function objectsEqual(left: JsonObject, right: JsonObject): boolean {
  const names = Object.keys(left);
  if (names.length !== Object.keys(right).length) return false;
  // hasOwn, because a member called `toString` or `__proto__` must not be found on the prototype.
  return names.every(
    (name) => Object.hasOwn(right, name) && jsonEqual(left[name] as JsonValue, right[name] as JsonValue),
  );
}
