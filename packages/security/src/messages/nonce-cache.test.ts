import { describe, expect, it } from 'vitest';
import { createNonceCache } from './nonce-cache.ts';

function fakeClock(): { time: number; monotonic(): number } {
  return {
    time: 0,
    monotonic() {
      return this.time;
    },
  };
}

const REPLAYED = expect.objectContaining({ code: 'invalid_signature', reason: 'replayed' });

describe('createNonceCache', () => {
  it('accepts a nonce once within its lifetime, and again after it', () => {
    const clock = fakeClock();
    const nonces = createNonceCache({ clock }, { lifetimeMs: 100 });
    nonces.take('a');
    clock.time = 99;
    expect(() => nonces.take('a')).toThrow(REPLAYED);
    clock.time = 100;
    expect(() => nonces.take('a')).not.toThrow();
  });

  it('forgets what has ended, so that it does not only grow', () => {
    const clock = fakeClock();
    const nonces = createNonceCache({ clock }, { lifetimeMs: 100 });
    for (let i = 0; i < 1_000; i++) {
      clock.time = i;
      nonces.take(`n${i}`);
    }
    expect(nonces.size).toBe(100);
  });

  it('refuses new ones when it is full, instead of letting old ones be replayed', () => {
    const clock = fakeClock();
    const nonces = createNonceCache({ clock }, { lifetimeMs: 100, maxEntries: 2 });
    nonces.take('a');
    nonces.take('b');
    expect(() => nonces.take('c')).toThrow(expect.objectContaining({ code: 'overloaded', retriable: true }));
    expect(() => nonces.take('a')).toThrow(REPLAYED);
    clock.time = 100;
    expect(() => nonces.take('c')).not.toThrow();
  });

  it('gives back once only, so that a late second release frees nobody else', () => {
    const nonces = createNonceCache();
    const release = nonces.take('a');
    release();
    nonces.take('a');
    release();
    expect(() => nonces.take('a')).toThrow(REPLAYED);
  });

  it('refuses bounds that bound nothing', () => {
    for (const wrong of [0, -1, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => createNonceCache({}, { lifetimeMs: wrong })).toThrow(/lifetimeMs/);
      expect(() => createNonceCache({}, { maxEntries: wrong })).toThrow(/maxEntries/);
    }
  });
});
