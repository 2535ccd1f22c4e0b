import { addon, BATCH_ITEMS, INPUT_BYTES, place, put, putLength, SIDE, take } from './arena.js';
import { bytesLength, hasLength, itemLength, listOf, requireLength } from './bytes.js';

const KEY_BYTES = 32;
const MAC_BYTES = 32;
const SIGNATURE_BYTES = 64;

export const version = addon.version;

export function base58Encode(bytes) {
  return addon.base58Encode(place(bytes, bytesLength(bytes, 'bytes')));
}

export function base58Decode(text) {
  return take(0, addon.base58Decode(text));
}

export function createHmacKey(key) {
  return addon.createHmacKey(place(key, bytesLength(key, 'key')));
}

export function releaseHmacKey(keyId) {
  return addon.releaseHmacKey(keyId);
}

export function hmacSha256(keyId, data) {
  addon.hmacSha256(keyId, place(data, bytesLength(data, 'data')));
  return take(0, MAC_BYTES);
}

export function hmacSha256Many(keyId, list) {
  const items = listOf(list, 'list');
  const macs = [];
  let next = 0;
  do {
    const first = next;
    next = fill(items, first);
    if (next === first && next < items.length) {
      // One that is longer than the arena.
      macs.push(hmacSha256(keyId, items[next]));
      next += 1;
    } else {
      addon.hmacSha256Many(keyId, next - first);
      for (let item = 0; item < next - first; item++) macs.push(take(SIDE + item * MAC_BYTES, MAC_BYTES));
    }
  } while (next < items.length);
  return macs;
}

/**
 * Copies items into the arena, from `first` on, until it is full; returns the index of the first item that did not fit.
 */
function fill(items, first) {
  const end = Math.min(items.length, first + BATCH_ITEMS);
  let used = 0;
  for (let index = first; index < end; index++) {
    const size = itemLength(items[index], index);
    if (used + size > INPUT_BYTES) return index;
    put(items[index], used);
    putLength(index - first, size);
    used += size;
  }
  return end;
}

export function hmacSha256Verify(keyId, data, mac) {
  const length = bytesLength(data, 'data');
  if (!hasLength(mac, MAC_BYTES, 'mac')) return false;
  put(mac, SIDE);
  return addon.hmacSha256Verify(keyId, place(data, length));
}

export function ed25519PublicKey(seed) {
  requireLength(seed, KEY_BYTES, 'seed');
  put(seed, SIDE);
  addon.ed25519PublicKey();
  return take(0, KEY_BYTES);
}

export function ed25519Sign(seed, data) {
  const length = bytesLength(data, 'data');
  requireLength(seed, KEY_BYTES, 'seed');
  const placed = place(data, length);
  put(seed, SIDE);
  addon.ed25519Sign(placed);
  return take(0, SIGNATURE_BYTES);
}

export function ed25519Verify(publicKey, data, signature) {
  const length = bytesLength(data, 'data');
  // Both are checked, so that a wrong type throws in any case.
  const sized = hasLength(publicKey, KEY_BYTES, 'publicKey');
  if (!hasLength(signature, SIGNATURE_BYTES, 'signature') || !sized) return false;
  put(publicKey, SIDE);
  put(signature, SIDE + KEY_BYTES);
  return addon.ed25519Verify(place(data, length));
}

// Texts travel as they are: Rust reads them itself, and one call is one operation.
export const { verifyToken, verifyTokenChain, signMessage, verifyMessage, signMessages, verifyMessages } =
  addon;
