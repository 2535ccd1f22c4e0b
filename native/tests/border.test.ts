import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import type { Addon } from '../arena.js';
import { describeAddon } from './addon.ts';

/* Calls of the Rust functions that `main.js` never makes, but that a program could make that loads the file itself. */

const call = (addon: Addon, name: string, ...args: unknown[]): unknown =>
  Reflect.apply(addon[name] as () => unknown, undefined, args);

describeAddon('the border of the native engine without main.js', async () => {
  const { addon } = await import('../arena.js');
  const id = call(addon, 'createHmacKey', 0);

  test('refuses a length outside the arena', () => {
    for (const length of [-1, 65_537, 2 ** 32, 2 ** 32 + 1, 0.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => call(addon, 'base58Encode', length)).toThrow(RangeError);
      expect(() => call(addon, 'hmacSha256', id, length)).toThrow(RangeError);
      expect(() => call(addon, 'hmacSha256Many', id, length)).toThrow(RangeError);
    }
  });

  test('refuses a batch with lengths outside the arena', () => {
    const lengths = new Uint32Array(addon.arena.buffer, 98_304, 1_024);
    for (const wrong of [
      [65_537],
      [65_536, 1],
      [4_294_967_295],
      [1, 4_294_967_295],
      Array.from({ length: 1_024 }, () => 65),
    ]) {
      lengths.set(wrong);
      expect(() => call(addon, 'hmacSha256Many', id, wrong.length)).toThrow(RangeError);
    }
    expect(() => call(addon, 'hmacSha256Many', id, 1_025)).toThrow(RangeError);
  });

  test('checks arrays again: type, detachment, shared memory, size', () => {
    const detached = new Uint8Array(1_000);
    structuredClone(detached.buffer, { transfer: [detached.buffer] });
    const wrong = [
      detached,
      new Int8Array(1_000),
      new Uint8ClampedArray(1_000),
      new DataView(new ArrayBuffer(8)),
      new Uint8Array(new SharedArrayBuffer(1_000)),
      {},
      null,
      undefined,
      'text',
    ];
    for (const value of wrong) expect(() => call(addon, 'hmacSha256', id, value)).toThrow(TypeError);
    expect(() => call(addon, 'hmacSha256', id, new Uint8Array(64 * 1024 * 1024 + 1))).toThrow(RangeError);
  });

  test('refuses an array over the arena, since the engine writes to it while it reads', () => {
    for (const [start, end] of [
      [0, 1_000],
      [102_399, 102_400],
      [0, 102_400],
    ]) {
      expect(() => call(addon, 'hmacSha256', id, addon.arena.subarray(start, end))).toThrow(TypeError);
    }
  });

  test('every function throws without arguments, and with wrong arguments', () => {
    for (const name of Object.keys(addon).filter((key) => typeof addon[key] === 'function')) {
      // Seeds, keys and signatures are passed only through the arena.
      if (name === 'ed25519PublicKey') continue;
      expect(() => call(addon, name), name).toThrow(TypeError);
      const getter = {
        get length() {
          throw new Error('no');
        },
      };
      expect(() => call(addon, name, getter, getter, getter), name).toThrow(TypeError);
    }
  });

  test('wipes a seed and a short key from the arena', () => {
    addon.arena.fill(7);
    call(addon, 'ed25519PublicKey');
    expect(addon.arena.subarray(65_536, 65_568).every((byte) => byte === 0)).toBe(true);
    addon.arena.fill(7);
    call(addon, 'ed25519Sign', 10);
    expect(addon.arena.subarray(65_536, 65_568).every((byte) => byte === 0)).toBe(true);
    addon.arena.fill(7);
    call(addon, 'createHmacKey', 512);
    expect(addon.arena.subarray(0, 512).every((byte) => byte === 0)).toBe(true);
    expect(addon.arena[512]).toBe(7);
  });

  test('cannot lose its arena to another thread', () => {
    const buffer = addon.arena.buffer as ArrayBuffer;
    expect(() => structuredClone(buffer, { transfer: [buffer] })).toThrow();
    expect(buffer.byteLength).toBe(102_400);
  });

  test('keeps its memory when the arena is removed and collected', async () => {
    // In a separate thread, since the addon does not work there afterwards.
    const source = `
      import { setFlagsFromString } from 'node:v8';
      import { parentPort } from 'node:worker_threads';
      import { addon } from ${JSON.stringify(new URL('../arena.js', import.meta.url).href)};
      setFlagsFromString('--expose-gc');
      const gc = (await import('node:vm')).runInNewContext('gc');
      addon.arena.fill(1);
      addon.arena.buffer.transfer(8);
      for (let i = 0; i < 5; i++) { gc(); await new Promise(setImmediate); }
      const texts = Array.from({ length: 1000 }, () => new Uint8Array(100_000).fill(2) && addon.base58Encode(32));
      parentPort.postMessage([addon.arena.length, new Set(texts).size]);
    `;
    const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(source)}`));
    const ended = once(worker, 'exit');
    const [result] = await once(worker, 'message');
    await ended;
    expect(result).toEqual([0, 1]);
  });
});
