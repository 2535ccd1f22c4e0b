import { ByteBuffer, type InputLine, LineError } from '../lines.ts';

const QUOTE = 0x22;
const COMMA = 0x2c;
const BACKSLASH = 0x5c;
const OPEN = new Set([0x5b, 0x7b]);
const CLOSE = new Set([0x5d, 0x7d]);
const LINE_FEED = 0x0a;
const WHITE_SPACE = new Set([0x20, 0x09, 0x0a, 0x0d]);

/**
 * Splits a JSON array into its items, however it is laid out, without holding more than one of them. All characters that
 * matter are ASCII, so bytes are looked at; each item is parsed by whoever takes it.
 *
 * @throws LineError for an array that does not end, for what follows it, and as `linesOf` does
 */
export async function* jsonItemsOf(input: AsyncIterable<Uint8Array>): AsyncGenerator<InputLine> {
  const buffer = new ByteBuffer();
  let depth = 0;
  let inString = false;
  let escaped = false;
  let ended = false;
  let line = 1;
  let item = 1;
  /** The line where the item begins; undefined until its first byte. */
  let begun: number | undefined;
  const take = (): InputLine => {
    const place = { number: begun ?? line, item };
    const text = buffer.take(place);
    if (text === '')
      throw new LineError(place, 'is missing: a value must stand between the commas of a JSON array');
    item += 1;
    begun = undefined;
    return { ...place, text };
  };
  for await (const chunk of input) {
    let start = 0;
    for (let at = 0; at < chunk.length; at++) {
      const byte = chunk[at] as number;
      if (byte === LINE_FEED) line += 1;
      if (inString) {
        if (escaped) escaped = false;
        else if (byte === BACKSLASH) escaped = true;
        else if (byte === QUOTE) inString = false;
        continue;
      }
      if (WHITE_SPACE.has(byte)) continue;
      if (ended) throw new LineError({ number: line }, 'must be empty, since the JSON array ends before it');
      if (depth === 0) {
        // The byte that made this input a JSON array; a byte order mark may stand before it.
        if (byte === 0x5b) depth = 1;
        start = at + 1;
        continue;
      }
      const endsItem = depth === 1 && (byte === COMMA || CLOSE.has(byte));
      if (!endsItem) begun ??= line;
      if (byte === QUOTE) inString = true;
      else if (OPEN.has(byte)) depth += 1;
      else if (CLOSE.has(byte)) depth -= 1;
      if (!endsItem) continue;
      buffer.append(chunk.subarray(start, at), { number: begun ?? line, item });
      start = at + 1;
      ended = depth === 0;
      // An empty array, or the end of one, has no item before its bracket.
      if (ended && begun === undefined && item === 1) buffer.take({ number: line });
      else yield take();
    }
    if (!ended && depth > 0) buffer.append(chunk.subarray(start), { number: begun ?? line, item });
  }
  if (!ended) throw new LineError({ number: line }, 'ends before the JSON array does: `]` is missing');
}
