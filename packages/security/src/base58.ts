import { invalidArgument } from '@esdb-gater/types';
import { bytesArgument, textArgument } from './arguments.ts';
import { currentEngine } from './engine/select.ts';

/**
 * Base58 takes quadratic time by its nature, so both directions are bounded: 4 096 bytes take a few milliseconds.
 * A key or DID has 34.
 */
export const BASE58_MAX_BYTES = 4_096;

/** The most characters that 4 096 bytes need: 4096 · log 256 / log 58. */
const MAX_UNITS = 5_594;

/** Encodes and decodes Base58 with Bitcoin's alphabet and without a checksum. `decode(encode(x))` is `x`. */
export const base58: {
  encode(bytes: Uint8Array): string;
  decode(text: string): Uint8Array;
} = Object.freeze({
  /**
   * @param bytes 0 to 4 096
   * @throws `invalid_argument`, reason `type` or `too_large`
   */
  encode(bytes: Uint8Array): string {
    if (bytesArgument(bytes, 'the argument').length > BASE58_MAX_BYTES) {
      throw invalidArgument(
        'too_large',
        `the data must be at most ${BASE58_MAX_BYTES} bytes, got ${bytes.length}`,
      );
    }
    return currentEngine().base58Encode(bytes);
  },
  /**
   * @param text without white space
   * @throws `invalid_argument`, reason `type`, `too_large` (over 4 096 bytes), or `base58` for a character that is not in the alphabet
   */
  decode(text: string): Uint8Array {
    const { length } = textArgument(text, 'the argument');
    if (length > MAX_UNITS) {
      throw invalidArgument('too_large', `the string must be at most ${MAX_UNITS} characters, got ${length}`);
    }
    const bytes = currentEngine().base58Decode(text);
    if (bytes === undefined) {
      const at = text.search(/[^1-9A-HJ-NP-Za-km-z]/);
      throw invalidArgument('base58', `the character at index ${at} is not in the Base58 alphabet`, { at });
    }
    if (bytes.length > BASE58_MAX_BYTES) {
      throw invalidArgument(
        'too_large',
        `the data must be at most ${BASE58_MAX_BYTES} bytes, got ${bytes.length}`,
      );
    }
    return bytes;
  },
});
