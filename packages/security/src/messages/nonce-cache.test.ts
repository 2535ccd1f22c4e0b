import { createFakeClock } from '@esdb-gater/primitives/testing';
import { describe, expect, test } from 'vitest';
import { createNonceCache } from './nonce-cache.ts';

const REPLAYED = expect.objectContaining({ code: 'invalid_signature', reason: 'replayed' });

describe('createNonceCache', () => {
  test('accepts a nonce once within its lifetime, and again after it', () => {
    const clock = createFakeClock();
    const nonces = createNonceCache({ clock }, { lifetimeMs: 100 });
    nonces.take('a');
    clock.advance(99);
    expect(() => nonces.take('a')).toThrow(REPLAYED);
    clock.advance(1);
    expect(() => nonces.take('a')).not.toThrow();
  });

  test('removes expired nonces, so that it stays bounded', () => {
    const clock = createFakeClock();
    const nonces = createNonceCache({ clock }, { lifetimeMs: 100 });
    for (let i = 0; i < 1_000; i++) {
      if (i > 0) clock.advance(1);
      nonces.take(`n${i}`);
    }
    expect(nonces.size).toBe(100);
  });

  test('refuses new ones when it is full, instead of letting old ones be replayed', () => {
    const clock = createFakeClock();
    const nonces = createNonceCache({ clock }, { lifetimeMs: 100, maxEntries: 2 });
    nonces.take('a');
    nonces.take('b');
    expect(() => nonces.take('c')).toThrow(expect.objectContaining({ code: 'overloaded', retriable: true }));
    expect(() => nonces.take('a')).toThrow(REPLAYED);
    clock.advance(100);
    expect(() => nonces.take('c')).not.toThrow();
  });

  test('releases only once, so that a second release does not free the nonce of another message', () => {
    const nonces = createNonceCache();
    const release = nonces.take('a');
    release();
    nonces.take('a');
    release();
    expect(() => nonces.take('a')).toThrow(REPLAYED);
  });

  test('remembers a nonce for six minutes when nothing else is said', () => {
    const clock = createFakeClock();
    const nonces = createNonceCache({ clock });
    nonces.take('a');
    clock.advance(359_999);
    expect(() => nonces.take('a')).toThrow(REPLAYED);
    clock.advance(1);
    expect(() => nonces.take('a')).not.toThrow();
  });

  test('takes bounds of less than 1 ms, and of one nonce', () => {
    const clock = createFakeClock();
    const nonces = createNonceCache({ clock }, { lifetimeMs: 0.5, maxEntries: 1 });
    nonces.take('a');
    expect(() => nonces.take('b')).toThrow(expect.objectContaining({ code: 'overloaded' }));
    clock.advance(0.5);
    expect(() => nonces.take('b')).not.toThrow();
  });

  test('refuses invalid bounds', () => {
    for (const wrong of [0, -1, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => createNonceCache({}, { lifetimeMs: wrong })).toThrow(/lifetimeMs/);
      expect(() => createNonceCache({}, { maxEntries: wrong })).toThrow(/maxEntries/);
    }
  });
});
