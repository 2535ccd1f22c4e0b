import { parse, v5 } from 'uuid';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const URL_NAMESPACE = parse(v5.URL);

/** Returns true for a UUID of any version, in either case (RFC 9562 writes lower case and reads both). */
export function isUuid(value: unknown): value is string {
  return typeof value === 'string' && value.length === 36 && UUID.test(value);
}

/** Returns the UUIDv5 of a name in the URL namespace. A lone surrogate in the name counts as U+FFFD. */
export function uuidV5(name: string): string {
  return v5(name.toWellFormed(), URL_NAMESPACE);
}
