import { endOfString, JSON_DEPTH } from '@esdb-gater/primitives';

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

const QUOTE = 0x22;
const COMMA = 0x2c;
const [OPEN_LIST, CLOSE_LIST] = [0x5b, 0x5d];
const [OPEN_OBJECT, CLOSE_OBJECT] = [0x7b, 0x7d];

/** Refuses a valid JSON text with a name that appears twice in one object, or with deep nesting. Linear. */
function checkNames(json: string): void {
  const open: (Set<string> | undefined)[] = [];
  let name = false;
  for (let at = 0; at < json.length; at++) {
    switch (json.charCodeAt(at)) {
      case QUOTE: {
        const end = endOfString(json, at);
        if (name) checkName(json.slice(at, end + 1), open[open.length - 1]);
        name = false;
        at = end;
        break;
      }
      case OPEN_OBJECT:
      case OPEN_LIST:
        if (open.length >= JSON_DEPTH.token) throw new Error(`over ${JSON_DEPTH.token} levels`);
        name = json.charCodeAt(at) === OPEN_OBJECT;
        open.push(name ? new Set() : undefined);
        break;
      case CLOSE_OBJECT:
      case CLOSE_LIST:
        open.pop();
        break;
      case COMMA:
        name = open[open.length - 1] !== undefined;
    }
  }
}

/** @param quoted as written, with the quotes */
function checkName(quoted: string, names: Set<string> | undefined): void {
  const name = quoted.includes('\\') ? String(JSON.parse(quoted)) : quoted.slice(1, -1);
  if (names?.has(name)) throw new Error('a name appears twice in an object');
  names?.add(name);
}

/**
 * Parses strict UTF-8 JSON: no byte order mark, no name twice in an object, at most 32 levels. JSON that two
 * parsers might read differently must not be signed.
 *
 * @throws Error that names the problem, without the text
 */
export function parseStrictJson(bytes: Uint8Array): unknown {
  let json: string;
  try {
    json = strictUtf8.decode(bytes);
  } catch {
    throw new Error('invalid UTF-8');
  }
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    throw new Error('invalid JSON');
  }
  checkNames(json);
  return value;
}
