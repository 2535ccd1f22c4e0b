import { createRequire } from 'node:module';
import { checkingRequire, loadAddon } from './loader.js';

const require = createRequire(import.meta.url);
const platform = { os: process.platform, cpu: process.arch };

/** The functions in Rust. Most of their arguments travel in the arena, see `src/binding/arena.rs`. */
export const addon = loadAddon({
  require: checkingRequire(require, platform),
  version: require('./package.json').version,
  ...platform,
});

/*
 * To pass a small fresh Uint8Array to an addon costs more than to hash it: V8 stores its bytes on the heap and must
 * move them out first. So they are copied into memory that both sides know. Each thread that loads this module has its
 * own addon environment and its own arena. Only copies leave it, and no other code runs between filling it and the call
 * that reads it.
 */
const arena = addon.arena;

/** The input of an operation is at the start, and so is its result. */
export const INPUT_BYTES = 65_536;
/** Keys, signatures and MACs that go with it; the results of a batch begin here. */
export const SIDE = 65_536;
const LENGTHS = 98_304;
/** Most items of a batch: so many lengths have room, and so many MACs. */
export const BATCH_ITEMS = 1_024;

const lengths = new Uint32Array(arena.buffer, LENGTHS, BATCH_ITEMS);

/** From here on copying costs as much as passing the array itself. */
const COPIED_BYTES = 512;
/** Up to here a loop is faster than `slice`. */
const LOOPED_BYTES = 64;

/** Passes bytes to the addon: as a number of bytes at the start of the arena, or as the array itself. */
export function place(bytes, length) {
  if (length <= COPIED_BYTES) {
    // A detached array has length 0, and `set` throws for it.
    arena.set(bytes);
    return length;
  }
  // Another thread could change shared memory while Rust reads it.
  return bytes.buffer instanceof SharedArrayBuffer ? bytes.slice() : bytes;
}

/** Copies bytes to a place in the arena. */
export function put(bytes, offset) {
  arena.set(bytes, offset);
}

/** Notes how long an item of a batch is. */
export function putLength(item, length) {
  lengths[item] = length;
}

/** Copies a result of the addon out of the arena. */
export function take(offset, length) {
  if (length > LOOPED_BYTES) return arena.slice(offset, offset + length);
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = arena[offset + i];
  return bytes;
}
