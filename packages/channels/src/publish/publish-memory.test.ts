import { describe, expect, it } from 'vitest';
import { createPublishMemory } from './publish-memory.ts';

function memoryAt(maxEntries = 1_000) {
  let now = 0;
  const memory = createPublishMemory({ monotonic: () => now }, 300_000, maxEntries);
  return { memory, at: (ms: number) => (now = ms) };
}

describe('the memory of publishes', () => {
  it('recognises for five minutes and not longer', () => {
    const { memory, at } = memoryAt();
    at(200_000);
    const entry = memory.remember('a');
    for (const ms of [200_000, 300_001, 500_000]) {
      at(ms);
      memory.remember(`other ${ms}`);
      expect(memory.find('a')).toBe(entry);
    }
    at(500_001);
    expect(memory.find('a')).toBeUndefined();
  });

  it('recognises for the whole time when the generations turn in between', () => {
    const { memory, at } = memoryAt();
    at(299_999);
    memory.remember('late');
    at(300_002);
    memory.remember('turns');
    at(599_999);
    expect(memory.find('late')).toBeDefined();
  });

  it('forgets what it is told to', () => {
    const { memory } = memoryAt();
    memory.remember('a');
    memory.forget('a');
    expect(memory.find('a')).toBeUndefined();
  });

  it('is bounded, and forgets the oldest first', () => {
    const { memory } = memoryAt(10);
    for (let n = 0; n < 100; n++) memory.remember(String(n));
    const left = Array.from({ length: 100 }, (_, n) => n).filter((n) => memory.find(String(n)) !== undefined);
    expect(left.length).toBeLessThanOrEqual(10);
    expect(left.at(-1)).toBe(99);
    expect(left).toEqual(left.map((_, index) => 100 - left.length + index));
  });

  it('remembers nothing where it may not', () => {
    const { memory } = memoryAt(0);
    memory.remember('a');
    expect(memory.find('a')).toBeUndefined();
  });
});
