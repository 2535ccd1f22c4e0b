import { describeType } from '@esdb-gater/primitives';
import { invalidArgument } from '@esdb-gater/types';
import { bytesArgument, wellFormedArgument } from './arguments.ts';
import type { Engine, HmacKey } from './engine/engine.ts';
import { currentEngine } from './engine/select.ts';
import { LruMap } from './lru-map.ts';

const utf8 = new TextEncoder();

const KEPT_KEYS = 64;
/** Longer keys are not cached: comparing them would cost more than preparing them. */
const KEPT_KEY_BYTES = 256;

interface Recent {
  readonly engine: Engine;
  readonly bytes: Uint8Array;
  readonly key: HmacKey;
}

let kept: LruMap<string, HmacKey> = new LruMap(KEPT_KEYS, (key) => key.close());
let recent: Recent | undefined;

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** Returns the prepared key; the last one used is found by comparing, others by their bytes as a string. */
function keyOf(bytes: Uint8Array): HmacKey {
  const engine = currentEngine();
  if (recent?.engine === engine && sameBytes(recent.bytes, bytes)) return recent.key;
  if (recent !== undefined && recent.engine !== engine) kept = new LruMap(KEPT_KEYS, (key) => key.close());
  const name = String.fromCharCode(...bytes);
  let key = kept.get(name);
  if (key === undefined) {
    key = engine.createHmacKey(bytes);
    kept.add(name, key);
  }
  recent = { engine, bytes: bytes.slice(), key };
  return key;
}

/** Runs `use` with the prepared key of `key`, which is cached unless it is long. */
function withKey<Result>(key: unknown, use: (prepared: HmacKey) => Result): Result {
  const bytes =
    typeof key === 'string' ? utf8.encode(wellFormedArgument(key, 'the key')) : bytesArgument(key, 'the key');
  if (bytes.length <= KEPT_KEY_BYTES) return use(keyOf(bytes));
  const prepared = currentEngine().createHmacKey(bytes);
  try {
    return use(prepared);
  } finally {
    prepared.close();
  }
}

/**
 * Computes HMAC-SHA256 (RFC 2104), 32 bytes. The prepared states of the last 64 keys of up to 256 bytes are cached.
 *
 * @param key any bytes, or a string as UTF-8
 * @throws `invalid_argument`, reason `type` or `lone_surrogate`
 */
export function hmacSha256(key: Uint8Array | string, data: Uint8Array): Uint8Array {
  const bytes = bytesArgument(data, 'the data');
  return withKey(key, (prepared) => prepared.mac(bytes));
}

/**
 * Computes HMAC-SHA256 of each item of a list, in one call of the engine.
 *
 * @throws `invalid_argument`, reason `type` or `lone_surrogate`, before any MAC is computed
 */
export function hmacSha256Many(key: Uint8Array | string, list: readonly Uint8Array[]): Uint8Array[] {
  if (!Array.isArray(list))
    throw invalidArgument('type', `the list must be an array, got ${describeType(list)}`);
  list.forEach((data, i) => {
    bytesArgument(data, `item ${i} of the list`);
  });
  return withKey(key, (prepared) => prepared.macMany(list));
}
