/** Encodes and decodes Base58 with Bitcoin's alphabet. Neither direction checks sizes: `base58` does. */
export interface Base58Codec {
  encode(bytes: Uint8Array): string;
  /** `undefined` when a character is not in the alphabet. */
  decode(text: string): Uint8Array | undefined;
}

const ALPHABET = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';
const ZERO = 0x31;

/*
 * A number is held in limbs of four Base58 digits (58^4, 23.4 bits) or of three bytes (2^24). A product of two
 * such limbs has at most 47.5 bits, so that a float64 adds up 22 of them exactly. Up to 22 limbs, 66 bytes, the
 * other radix is therefore a sum over a table of powers, with one pass for the carries at the end; longer
 * inputs are multiplied up limb by limb.
 */
const DIGITS = 58 ** 4;
const BYTES = 2 ** 24;
const TABLE_LIMBS = 22;

/** Row `i` is `base ** i` in limbs of `radix`, the lowest first. */
function powers(base: number, radix: number): readonly Float64Array[] {
  const rows: Float64Array[] = [];
  let power = 1n;
  for (let i = 0; i < TABLE_LIMBS; i++) {
    const limbs: number[] = [];
    for (let rest = power; rest > 0n; rest /= BigInt(radix)) limbs.push(Number(rest % BigInt(radix)));
    rows.push(Float64Array.from(limbs));
    power *= BigInt(base);
  }
  return rows;
}

const BYTE_POWERS = powers(BYTES, DIGITS);
const DIGIT_POWERS = powers(DIGITS, BYTES);

/** The two characters of every value below 58², so that a limb costs two look-ups. */
const PAIR_HIGH: Uint8Array = Uint8Array.from({ length: 3364 }, (_, i) => ALPHABET.charCodeAt(i / 58));
const PAIR_LOW: Uint8Array = Uint8Array.from({ length: 3364 }, (_, i) => ALPHABET.charCodeAt(i % 58));

/** Digit of a character code below 128; 128 for none, so that one OR over several finds it. */
const DIGIT_OF: Uint8Array = new Uint8Array(128).fill(128);
for (let i = 0; i < ALPHABET.length; i++) DIGIT_OF[ALPHABET.charCodeAt(i)] = i;

/** Carries through `limbs[0..used)`, which must have room, and returns how many are in use then. */
function normalise(limbs: Float64Array, used: number, radix: number): number {
  let carry = 0;
  let length = 0;
  for (; length < used || carry > 0; length++) {
    const value = (limbs[length] ?? 0) + carry;
    // Exact: below 2^53 the quotient of two integers never rounds up to the next integer.
    carry = Math.floor(value / radix);
    limbs[length] = value - carry * radix;
  }
  while (length > 0 && limbs[length - 1] === 0) length--;
  return length;
}

/** Adds up `source[0..count)`, limbs of one radix, as limbs of the other in `target`; returns how many there are. */
function convert(
  source: Float64Array,
  count: number,
  target: Float64Array,
  rows: readonly Float64Array[],
  radix: number,
): number {
  let used = 0;
  for (let i = 0; i < count; i++) {
    const row = rows[i];
    const limb = source[i] ?? 0;
    if (row === undefined) break;
    used = row.length;
    for (let j = 0; j < used; j++) target[j] = (target[j] ?? 0) + limb * (row[j] ?? 0);
  }
  return normalise(target, used, radix);
}

/** Converts any length, in quadratic time: multiply by the source's radix, add the next limb, highest first. */
function convertLong(
  source: Float64Array,
  count: number,
  target: Float64Array,
  sourceRadix: number,
  radix: number,
): number {
  let used = 0;
  for (let i = count - 1; i >= 0; i--) {
    let carry = source[i] ?? 0;
    for (let j = 0; j < used || carry > 0; j++) {
      const value = (target[j] ?? 0) * sourceRadix + carry;
      carry = Math.floor(value / radix);
      target[j] = value - carry * radix;
      if (j >= used) used = j + 1;
    }
  }
  return used;
}

/**
 * The codec in TypeScript, several times as fast as digit by digit at the length of a key.
 *
 * @param latin1 makes a text of `bytes[start..end)`; the platforms have different fast ways
 */
export function createBase58(latin1: (bytes: Uint8Array, start: number, end: number) => string): Base58Codec {
  const shortSource = new Float64Array(TABLE_LIMBS + 2);
  const shortTarget = new Float64Array(TABLE_LIMBS + 4);
  const shortText = new Uint8Array(4 * (TABLE_LIMBS + 4));

  function encode(bytes: Uint8Array): string {
    const size = bytes.length;
    let zeros = 0;
    while (zeros < size && bytes[zeros] === 0) zeros++;

    const count = Math.ceil((size - zeros) / 3);
    const short = count <= TABLE_LIMBS;
    const source = short ? shortSource : new Float64Array(count);
    let at = size;
    for (let i = 0; i < count; i++) {
      let limb = bytes[--at] ?? 0;
      if (at > zeros) limb |= (bytes[--at] ?? 0) << 8;
      if (at > zeros) limb |= (bytes[--at] ?? 0) << 16;
      source[i] = limb;
    }

    let target = shortTarget;
    let limbs: number;
    if (short) {
      target.fill(0);
      limbs = convert(source, count, target, BYTE_POWERS, DIGITS);
    } else {
      target = new Float64Array(Math.ceil(count * 1.03) + 2);
      limbs = convertLong(source, count, target, BYTES, DIGITS);
    }

    const text = short ? shortText : new Uint8Array(4 * limbs);
    let end = 0;
    for (let i = limbs - 1; i >= 0; i--) {
      const limb = target[i] ?? 0;
      const high = (limb / 3364) | 0;
      const low = limb - high * 3364;
      text[end] = PAIR_HIGH[high] ?? 0;
      text[end + 1] = PAIR_LOW[high] ?? 0;
      text[end + 2] = PAIR_HIGH[low] ?? 0;
      text[end + 3] = PAIR_LOW[low] ?? 0;
      end += 4;
    }
    let start = 0;
    while (start < end && text[start] === ZERO) start++;
    const digits = latin1(text, start, end);
    return zeros === 0 ? digits : '1'.repeat(zeros) + digits;
  }

  function decode(text: string): Uint8Array | undefined {
    const size = text.length;
    let zeros = 0;
    while (zeros < size && text.charCodeAt(zeros) === ZERO) zeros++;

    const count = Math.ceil((size - zeros) / 4);
    const short = count <= TABLE_LIMBS;
    const source = short ? shortSource : new Float64Array(count);
    let at = size;
    for (let i = 0; i < count; i++) {
      const start = Math.max(at - 4, zeros);
      let limb = 0;
      for (let j = start; j < at; j++) {
        const code = text.charCodeAt(j);
        const digit = code < 128 ? (DIGIT_OF[code] ?? 128) : 128;
        if (digit === 128) return undefined;
        limb = limb * 58 + digit;
      }
      source[i] = limb;
      at = start;
    }

    let target = shortTarget;
    let limbs: number;
    if (short) {
      target.fill(0);
      limbs = convert(source, count, target, DIGIT_POWERS, BYTES);
    } else {
      target = new Float64Array(count + 2);
      limbs = convertLong(source, count, target, DIGITS, BYTES);
    }

    const top = limbs === 0 ? 0 : (target[limbs - 1] ?? 0);
    const topBytes = limbs === 0 ? 0 : top > 0xffff ? 3 : top > 0xff ? 2 : 1;
    const bytes = new Uint8Array(zeros + Math.max(0, limbs - 1) * 3 + topBytes);
    let end = bytes.length;
    for (let i = 0; i < limbs; i++) {
      const limb = target[i] ?? 0;
      bytes[--end] = limb;
      if (end > zeros) bytes[--end] = limb >> 8;
      if (end > zeros) bytes[--end] = limb >> 16;
    }
    return bytes;
  }

  return { encode, decode };
}
