import { createFakeClock } from '@esdb-gater/primitives/testing';
import { describe, expect, test } from 'vitest';
import { createPublishMemory, type Publication, type PublishMemory } from './publish-memory.ts';

const publication = (id: string, rest: Partial<Publication> = {}): Publication => ({
  channel: 'system',
  topic: 'a',
  publisher: 'p',
  id,
  hash: 1,
  ...rest,
});

function memoryAt(
  maxEntries = 1_000,
  maxBytes = 1_000_000,
): {
  readonly memory: PublishMemory;
  readonly at: (ms: number) => void;
  readonly knows: (id: string, rest?: Partial<Publication>) => boolean;
} {
  const clock = createFakeClock();
  const memory = createPublishMemory(clock, { windowMs: 300_000, maxEntries, maxBytes });
  return {
    memory,
    at: (ms) => clock.advance(ms - clock.monotonic()),
    knows: (id, rest) => memory.find(publication(id, rest)) !== undefined,
  };
}

describe('the memory of publishes', () => {
  test('recognises for five minutes and not longer', () => {
    const { memory, at } = memoryAt();
    at(200_000);
    const entry = memory.remember(publication('a'));
    for (const ms of [200_000, 300_001, 500_000]) {
      at(ms);
      memory.remember(publication(`other ${ms}`));
      expect(memory.find(publication('a'))).toBe(entry);
    }
    at(500_001);
    expect(memory.find(publication('a'))).toBeUndefined();
  });

  test('recognises a repeat for the whole time even if generations change meanwhile', () => {
    const { memory, at, knows } = memoryAt();
    at(299_999);
    memory.remember(publication('late'));
    at(300_002);
    memory.remember(publication('turns'));
    at(599_999);
    expect(knows('late')).toBe(true);
  });

  test('distinguishes publishes of one id by channel, topic, publisher and message', () => {
    const { memory, knows } = memoryAt();
    const different = [{}, { channel: 'audit' }, { topic: 'b' }, { publisher: 'q' }, { hash: 2 }] as const;
    for (const [n, rest] of different.entries()) {
      expect(different.map((one) => knows('a', one))).toEqual(different.map((_, at) => at < n));
      memory.remember(publication('a', rest));
    }
  });

  test('forgets the given publish, and no other one with the same id', () => {
    const { memory, knows } = memoryAt();
    const entry = memory.remember(publication('a'));
    memory.remember(publication('a', { hash: 2 }));
    memory.forget(entry);
    expect([knows('a'), knows('a', { hash: 2 })]).toEqual([false, true]);
  });

  test('is bounded, and forgets the oldest first', () => {
    const { memory, knows } = memoryAt(10);
    for (let n = 0; n < 100; n++) memory.remember(publication(String(n)));
    const left = Array.from({ length: 100 }, (_, n) => n).filter((n) => knows(String(n)));
    expect(left.length).toBeLessThanOrEqual(10);
    expect(left.at(-1)).toBe(99);
    expect(left).toEqual(left.map((_, index) => 100 - left.length + index));
  });

  test('is bounded also when every publish has the same id', () => {
    const { memory, knows } = memoryAt(10);
    for (let n = 0; n < 100; n++) memory.remember(publication('a', { hash: n }));
    const left = Array.from({ length: 100 }, (_, hash) => hash).filter((hash) => knows('a', { hash }));
    expect(left.length).toBeLessThanOrEqual(10);
  });

  test('is bounded by bytes, those of ids, topics, publishers and positions [R21]', () => {
    for (const part of ['id', 'topic', 'publisher', 'position'] as const) {
      const { memory, knows } = memoryAt(1_000, 100_000);
      const long = 'x'.repeat(1_000);
      for (let n = 0; n < 1_000; n++) {
        const rest = part === 'topic' || part === 'publisher' ? { [part]: long } : {};
        const entry = memory.remember(publication(part === 'id' ? `${long}${n}` : String(n), rest));
        memory.answer(entry, { id: '', delivered: true, ...(part === 'position' ? { position: long } : {}) });
      }
      const left = Array.from({ length: 1_000 }, (_, n) => n).filter((n) =>
        knows(
          part === 'id' ? `${long}${n}` : String(n),
          part === 'topic' || part === 'publisher' ? { [part]: long } : {},
        ),
      );
      expect(left.length).toBeGreaterThan(10);
      expect(left.length).toBeLessThan(100);
      expect(left.at(-1)).toBe(999);
    }
  });

  test('forgets the older half at once, and keeps at least half of what it may hold', () => {
    const { memory, knows } = memoryAt(10);
    const held = (): number[] => Array.from({ length: 20 }, (_, n) => n).filter((n) => knows(String(n)));
    for (let n = 0; n < 10; n++) memory.remember(publication(String(n)));
    expect(held()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    memory.remember(publication('10'));
    expect(held()).toEqual([5, 6, 7, 8, 9, 10]);
  });

  test('counts the bytes of each generation anew', () => {
    const { memory, knows } = memoryAt(1_000, 2_000);
    // 128 and 72: five fit into a half.
    const id = (n: number): string => String(n).padEnd(70);
    const held = (): number[] => Array.from({ length: 40 }, (_, n) => n).filter((n) => knows(id(n)));
    for (let n = 0; n < 10; n++) memory.remember(publication(id(n)));
    expect(held()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    for (let n = 10; n < 21; n++) memory.remember(publication(id(n)));
    expect(held()).toEqual([15, 16, 17, 18, 19, 20]);
  });

  test('knows a publish that is in neither the newest nor the first place of its id', () => {
    const { memory, knows } = memoryAt();
    const entries = [1, 2, 3].map((hash) => memory.remember(publication('a', { hash })));
    expect([1, 2, 3, 4].map((hash) => knows('a', { hash }))).toEqual([true, true, true, false]);
    if (entries[1] !== undefined) memory.forget(entries[1]);
    expect([1, 2, 3].map((hash) => knows('a', { hash }))).toEqual([true, false, true]);
  });

  test('does not remember anything when its size is 0', () => {
    const { memory, knows } = memoryAt(0);
    memory.remember(publication('a'));
    expect(knows('a')).toBe(false);
  });
});
