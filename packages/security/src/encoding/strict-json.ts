const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

const MAX_LEVELS = 32;

/** The text of a JSON string that begins at `start`, as written, and where its closing quote stands. */
function stringEnd(json: string, start: number): number {
  let at = start + 1;
  while (json[at] !== '"') at += json[at] === '\\' ? 2 : 1;
  return at;
}

/** The first name that stands twice in one object of a valid JSON text; also refuses deep nesting. Linear. */
function checkNames(json: string): void {
  const open: (Set<string> | undefined)[] = [];
  let name = false;
  for (let at = 0; at < json.length; at++) {
    const character = json[at];
    if (character === '"') {
      const end = stringEnd(json, at);
      const names = open[open.length - 1];
      if (name && names !== undefined) {
        const written = json.slice(at + 1, end);
        const text = written.includes('\\') ? String(JSON.parse(`"${written}"`)) : written;
        if (names.has(text)) throw new Error('a name stands twice in an object');
        names.add(text);
      }
      name = false;
      at = end;
    } else if (character === '{' || character === '[') {
      if (open.length >= MAX_LEVELS) throw new Error(`over ${MAX_LEVELS} levels`);
      open.push(character === '{' ? new Set() : undefined);
      name = character === '{';
    } else if (character === '}' || character === ']') {
      open.pop();
    } else if (character === ',') {
      name = open[open.length - 1] !== undefined;
    }
  }
}

/**
 * The value of strict UTF-8 JSON: no byte order mark, no name twice in an object, at most 32 levels. What two
 * parsers might read differently must not be signed.
 *
 * @throws Error that says what is wrong, without the text
 */
export function parseStrictJson(bytes: Uint8Array): unknown {
  let json: string;
  try {
    json = strictUtf8.decode(bytes);
  } catch {
    throw new Error('not UTF-8');
  }
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    throw new Error('not JSON');
  }
  checkNames(json);
  return value;
}
