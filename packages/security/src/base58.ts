import { invalidArgument } from '@esdb-gater/types';
import { bytesArgument, textArgument } from './arguments.ts';
import { currentEngine } from './engine/select.ts';

/**
 * Base58 takes quadratic time by its nature, so both directions are bounded: 4 096 bytes take a few milliseconds.
 * A key or DID has 34.
 */
export const BASE58_MAX_BYTES = 4_096;

/** What 4 096 bytes need at most: 4096 · log 256 / log 58. */
const MAX_UNITS = 5_594;

/** Base58 with the alphabet of Bitcoin, no check sum. `decode(encode(x))` is `x`, and the other way round. */
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
      throw invalidArgument('too_large', `${bytes.length} bytes; expected at most ${BASE58_MAX_BYTES}`);
    }
    return currentEngine().base58Encode(bytes);
  },
  /**
   * @param text without white space
   * @throws `invalid_argument`, reason `type`, `too_large` (over 4 096 bytes), or `base58` for a character that is none of the alphabet
   */
  decode(text: string): Uint8Array {
    const { length } = textArgument(text, 'the argument');
    if (length > MAX_UNITS) {
      throw invalidArgument('too_large', `${length} characters; expected at most ${MAX_UNITS}`);
    }
    const bytes = currentEngine().base58Decode(text);
    if (bytes === undefined) {
      const at = text.search(/[^1-9A-HJ-NP-Za-km-z]/);
      throw invalidArgument('base58', `the character at ${at} is none of the Base58 alphabet`, { at });
    }
    if (bytes.length > BASE58_MAX_BYTES) {
      throw invalidArgument('too_large', `${bytes.length} bytes; expected at most ${BASE58_MAX_BYTES}`);
    }
    return bytes;
  },
});
