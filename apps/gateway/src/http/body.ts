import { invalidArgument, type JsonObject, type JsonValue } from '@esdb-gater/types';

/** Strict: a body in invalid UTF-8 is not JSON. A byte order mark is allowed, which RFC 8259 leaves to the reader. */
const UTF8 = new TextDecoder('utf-8', { fatal: true });

/** Parses a body. @throws `invalid_argument` (reason `json`, which is 400) when `bytes` are not JSON in UTF-8 */
export function parseJson(bytes: Uint8Array): JsonValue {
  try {
    return JSON.parse(UTF8.decode(bytes)) as JsonValue;
  } catch {
    throw invalidArgument('json', 'the body must be JSON in UTF-8');
  }
}

/** Returns `value` as an object. @throws `invalid_argument` when it is not one, or repeats a name of the path */
export function bodyMembers(value: JsonValue, fromPath: readonly string[] = []): JsonObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw invalidArgument('schema', 'the body must be an object', { path: '' });
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
