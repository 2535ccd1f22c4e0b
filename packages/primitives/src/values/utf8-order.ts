/**
 * Compares well-formed strings by their UTF-8 bytes, which is the order of their code points; plain `<` compares
 * UTF-16 units and puts U+FF5E after U+1F600. Returns a negative number when `left` comes first.
 */
export function compareUtf8(left: string, right: string): number {
  const length = Math.min(left.length, right.length);
  for (let index = 0; index < length; index += 1) {
    const a = left.charCodeAt(index);
    const b = right.charCodeAt(index);
    if (a !== b) return rank(a) - rank(b);
  }
  return left.length - right.length;
}

/** Ranks surrogates above all other UTF-16 units, because they encode the highest code points. */
function rank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x1_0000 : unit;
}

/**
 * Returns the smallest string after every string with that prefix, in the order of UTF-8 bytes; undefined when none
 * exists. It turns a prefix into a range that an index can answer.
 */
export function prefixEnd(prefix: string): string | undefined {
  const points = Array.from(prefix, (character) => character.codePointAt(0) as number);
  while (points.length > 0) {
    const last = points.pop() as number;
    if (last < 0x10_ffff) {
      return String.fromCodePoint(...points, last === 0xd7ff ? 0xe000 : last + 1);
    }
  }
  return undefined;
}
