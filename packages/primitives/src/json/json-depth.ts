/**
 * How deep arrays and objects may nest. Each limit stops a recursion that would otherwise overflow the stack, and
 * leaves room for the levels that later wrap the value.
 */
export const JSON_DEPTH = {
  /** Header and claims of a token: a grant is 3 levels deep; more is for the issuer's facts. */
  token: 32,
  /** An event, the content of a message or the record of a snapshot, as a caller sends it. */
  value: 100,
  /** A frame of a caller or a worker: a value within a page of events, within the answers of a batch. */
  frame: 128,
  /** The depth that `canonicalJson` accepts: deeper than a value, so that every publishable message can be signed. */
  canonical: 256,
  /** A record that another Kafka client wrote: it does not know our limits, so it gets more than a value. */
  record: 512,
  /** A frame that a client accepts: stores and Kafka may hold values deeper than those that callers may send today. */
  received: 2_000,
} as const;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const [OPEN_LIST, CLOSE_LIST] = [0x5b, 0x5d];
const [OPEN_OBJECT, CLOSE_OBJECT] = [0x7b, 0x7d];

/**
 * Returns true when the brackets of a JSON text nest deeper than `limit`. Scans the text once without allocating, and
 * stops at the first bracket beyond the limit, so that a refused text is never parsed.
 *
 * @param json need not be valid
 */
export function nestsDeeper(json: string, limit: number): boolean {
  // Every level needs an opening and, in a text that parses, a closing bracket.
  if (json.length <= 2 * limit) return false;
  if (!hasMore(json, '{', '[', limit)) return false;
  let depth = 0;
  for (let at = 0; at < json.length; at++) {
    switch (json.charCodeAt(at)) {
      case QUOTE:
        at = endOfString(json, at);
        break;
      case OPEN_LIST:
      case OPEN_OBJECT:
        if (++depth > limit) return true;
        break;
      case CLOSE_LIST:
      case CLOSE_OBJECT:
        depth--;
        break;
    }
  }
  return false;
}

/** Returns whether two characters occur more than `limit` times together. `indexOf` runs at memory speed. */
function hasMore(text: string, one: string, other: string, limit: number): boolean {
  let count = 0;
  for (const character of [one, other]) {
    for (let at = text.indexOf(character); at !== -1; at = text.indexOf(character, at + 1)) {
      if (++count > limit) return true;
    }
  }
  return false;
}

/** Returns where the string that begins at `start` ends: the index of its closing quote, or the length of the text. */
export function endOfString(json: string, start: number): number {
  // `indexOf` runs at memory speed, where a loop over a long string would not.
  for (let quote = json.indexOf('"', start + 1); quote !== -1; quote = json.indexOf('"', quote + 1)) {
    if (!isEscaped(json, quote)) return quote;
  }
  return json.length;
}

function isEscaped(json: string, quote: number): boolean {
  let before = quote - 1;
  while (json.charCodeAt(before) === BACKSLASH) before--;
  return (quote - before) % 2 === 0;
}
