import { textArgument } from '../arguments.ts';
import { currentEngine } from '../engine/select.ts';

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567';
/** CID version 1, codec raw, multihash sha2-256 of 32 bytes. */
const PREFIX = [0x01, 0x55, 0x12, 0x20] as const;
const utf8 = new TextEncoder();

/** Encodes bytes as RFC 4648 Base32 in lower case without padding. */
function base32(bytes: Uint8Array): string {
  let text = '';
  let bits = 0;
  let count = 0;
  for (const byte of bytes) {
    bits = ((bits << 8) | byte) & 0xfff;
    count += 8;
    while (count >= 5) {
      count -= 5;
      text += ALPHABET[(bits >> count) & 31] ?? '';
    }
  }
  return count === 0 ? text : text + (ALPHABET[(bits << (5 - count)) & 31] ?? '');
}

/**
 * Returns the id of a token: the CIDv1 (raw, sha2-256, base32) of its text, `bafkrei…`, 59 characters.
 *
 * @throws `invalid_argument`, reason `type`
 */
export function tokenId(token: string): string {
  const bytes = new Uint8Array(PREFIX.length + 32);
  bytes.set(PREFIX);
  bytes.set(currentEngine().sha256(utf8.encode(textArgument(token, 'the token'))), PREFIX.length);
  return `b${base32(bytes)}`;
}

/** Returns true for a token id. */
export function isTokenId(value: unknown): value is string {
  return typeof value === 'string' && /^bafkrei[a-z2-7]{52}$/.test(value);
}
