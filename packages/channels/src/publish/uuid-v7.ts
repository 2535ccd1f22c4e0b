import { randomFillSync } from 'node:crypto';

const POOL_BYTES = 4_096;
const pool = Buffer.alloc(POOL_BYTES);
let used = POOL_BYTES;

/** A UUID version 7 (RFC 9562): 48 bits of Unix milliseconds, then random bits from a pool. */
export function uuidV7(nowMs: number): string {
  if (used + 10 > POOL_BYTES) {
    randomFillSync(pool);
    used = 0;
  }
  const at = used;
  used += 10;
  pool[at] = ((pool[at] as number) & 0x0f) | 0x70;
  pool[at + 2] = ((pool[at + 2] as number) & 0x3f) | 0x80;
  const time = Math.floor(nowMs).toString(16).padStart(12, '0');
  const random = pool.toString('hex', at, at + 10);
  return `${time.slice(0, 8)}-${time.slice(8, 12)}-${random.slice(0, 4)}-${random.slice(4, 8)}-${random.slice(8)}`;
}
