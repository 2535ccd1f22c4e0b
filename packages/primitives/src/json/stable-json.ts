import type { JsonObject, JsonValue } from '@esdb-gater/types';

/**
 * Writes a value so that equal values have equal texts, in the form of RFC 8785: the members of objects in the order of
 * UTF-16 units, numbers as ECMAScript writes them. Unlike the canonical JSON of signatures it takes lone surrogates, which events may
 * contain: they stay escapes (`\udXXX`).
 */
export function stableJson(value: JsonValue): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(stableJson).join()}]`;
  const object = value as JsonObject;
  const members = Object.keys(object)
    .sort()
    .map((name) => `${JSON.stringify(name)}:${stableJson(object[name] as JsonValue)}`);
  return `{${members.join()}}`;
}
