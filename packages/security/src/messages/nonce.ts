import { toBase64url } from '#platform';

const POOL_BYTES = 3072;
const pool: Uint8Array<ArrayBuffer> = new Uint8Array(POOL_BYTES);
let used: number = POOL_BYTES;

/** Returns random bytes as base64url. One call of the random source serves many nonces. @param bytes at most 64 */
export function randomNonce(bytes: number): string {
  if (used + bytes > POOL_BYTES) {
    crypto.getRandomValues(pool);
    used = 0;
  }
  const nonce = toBase64url(pool.subarray(used, used + bytes));
  used += bytes;
  return nonce;
}
