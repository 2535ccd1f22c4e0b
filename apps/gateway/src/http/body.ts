import { invalidArgument, type JsonObject, type JsonValue } from '@esdb-gater/types';

/** Strict: a body in bad UTF-8 is no JSON. A byte order mark is, as RFC 8259 lets a reader choose. */
const UTF8 = new TextDecoder('utf-8', { fatal: true });

/** @throws `invalid_argument` (reason `json`, which is 400) when `bytes` are no JSON in UTF-8 */
export function parseJson(bytes: Uint8Array): JsonValue {
  try {
    return JSON.parse(UTF8.decode(bytes)) as JsonValue;
  } catch {
    throw invalidArgument('json', 'the body is no JSON in UTF-8');
  }
}

/** @throws `invalid_argument` when `value` is no object, or names what the path of the request already does */
export function bodyMembers(value: JsonValue, fromPath: readonly string[] = []): JsonObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw invalidArgument('schema', 'expected an object as the body', { path: '' });
  }
  const members = value as JsonObject;
  for (const name of fromPath) {
    if (Object.hasOwn(members, name)) {
      throw invalidArgument(
        'schema',
        `unexpected member ${JSON.stringify(name)}: the path of the request names it`,
        {
          path: `/${name}`,
        },
      );
    }
  }
  return members;
}
