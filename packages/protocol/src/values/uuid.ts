import { type Clock, systemClock } from '@esdb-gater/types';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** True for a UUID of any version, in either case (RFC 9562 writes lower case and reads both). */
export function isUuid(value: unknown): value is string {
  return typeof value === 'string' && value.length === 36 && UUID.test(value);
}

/** What a generator of UUIDs stands on. */
export interface UuidComponents {
  /** @default systemClock */
  readonly clock?: Pick<Clock, 'now'>;
  /** Fills an array with random bytes. @default crypto.getRandomValues */
  readonly randomBytes?: (target: Uint8Array) => void;
}

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));
const hex = (byte: number): string => HEX[byte & 0xff] ?? '';

/** Ids made from one draw of random bytes: a call to the system's generator costs more than all the rest. */
const POOL_IDS = 128;
/** 2 to begin the counter with, 7 for what the id keeps as random. */
const RANDOM_BYTES_PER_ID = 9;

/**
 * Makes UUIDs of version 7 that grow from one to the next, also within a millisecond and when the clock is set
 * back (RFC 9562 section 6.2, method 1: `rand_a` and the first 6 bits of `rand_b` are a counter).
 */
export function createUuidv7(components: UuidComponents = {}): () => string {
  const clock = components.clock ?? systemClock;
  const fill = components.randomBytes ?? ((target: Uint8Array): void => void crypto.getRandomValues(target));
  const pool = new Uint8Array(POOL_IDS * RANDOM_BYTES_PER_ID);
  let used = pool.length;
  let time = 0;
  let counter = 0;
  return () => {
    if (used === pool.length) {
      fill(pool);
      used = 0;
    }
    const at = used;
    used += RANDOM_BYTES_PER_ID;
    const byte = (index: number): number => pool[at + index] ?? 0;
    const now = Math.floor(clock.now());
    if (now > time) {
      time = now;
      // The counter begins in its lowest quarter, so that a millisecond has room for about 200 000 ids.
      counter = (byte(0) << 8) | byte(1);
    } else if (++counter > 0x3ffff) {
      time++;
      counter = 0;
    }
    const high = Math.floor(time / 0x1_0000_0000);
    const low = time % 0x1_0000_0000;
    const a = counter >>> 6;
    const b = 0x80 | (counter & 0x3f);
    return (
      hex(high >>> 8) +
      hex(high) +
      hex(low >>> 24) +
      hex(low >>> 16) +
      '-' +
      hex(low >>> 8) +
      hex(low) +
      '-' +
      hex(0x70 | (a >>> 8)) +
      hex(a) +
      '-' +
      hex(b) +
      hex(byte(2)) +
      '-' +
      hex(byte(3)) +
      hex(byte(4)) +
      hex(byte(5)) +
      hex(byte(6)) +
      hex(byte(7)) +
      hex(byte(8))
    );
  };
}

/** The next UUIDv7 of this process. */
export const uuidv7: () => string = createUuidv7();
