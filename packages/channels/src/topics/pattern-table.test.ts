import { describe, expect, test } from 'vitest';
import { createPatternTable, type PatternTable } from './pattern-table.ts';

interface Counted {
  readonly table: PatternTable<string>;
  readonly add: (pattern: string) => number;
  /** The patterns that match. */
  readonly match: (topic: string) => string[];
  /** The number of patterns that a topic is compared with, one by one. */
  readonly compared: (topic: string) => number;
}

function counted(): Counted {
  const table = createPatternTable<string>();
  let count = 0;
  const match = (topic: string): string[] => {
    const found: string[] = [];
    table.collect(topic.split('.'), found);
    return found.sort();
  };
  return {
    table,
    add: (pattern) => {
      const segments = pattern.split('.');
      const isOpen = segments.at(-1) === '>';
      if (isOpen) segments.pop();
      const wild = {
        segments,
        get open() {
          count++;
          return isOpen;
        },
      };
      return table.add(wild, pattern);
    },
    match,
    compared: (topic) => {
      count = 0;
      match(topic);
      return count;
    },
  };
}

describe('the work to match a topic', () => {
  test.each(['t#.*.a', 'a.t#.*', 'a.*.t#', '*.t#.>', 't#.>'])(
    'among 1 000 patterns like %s it is compared with those that have its rarest segment',
    (pattern) => {
      const { add, match, compared } = counted();
      for (let n = 0; n < 1_000; n++) add(pattern.replace('#', String(n)));
      const topic = pattern.replace('#', '7').replace('*', 'b').replace('>', 'c');
      expect(match(topic)).toEqual([pattern.replace('#', '7')]);
      expect(compared(topic)).toBe(1);
      expect(compared(topic.replace('7', 'other'))).toBe(0);
    },
  );

  test('patterns that end with `>` before the rarest segment are compared too', () => {
    const { add, match, compared } = counted();
    for (let n = 0; n < 1_000; n++) add(`a.*.t${n}`);
    for (const pattern of ['>', 'a.>', 'a.b.>', 'a.b.t7.>', 'z.>']) add(pattern);
    expect(match('a.b.t7')).toEqual(['>', 'a.*.t7', 'a.>', 'a.b.>']);
    expect(compared('a.b.t7')).toBe(6);
  });

  test('when every segment has many patterns, a topic is compared only with those that match', () => {
    const { add, match, compared } = counted();
    for (let n = 0; n < 2_000; n++) {
      // Each agrees with the topic everywhere but at one place, and no place rules out many.
      const segments: string[] = Array.from({ length: 16 }, (_, at) =>
        ((n * 2_654_435_761) >>> at) & 1 ? '*' : 'a',
      );
      segments[n % 16] = n === 77 ? '*' : 'end';
      add([...segments.slice(0, 15), n % 3 === 0 ? '>' : (segments[15] ?? '')].join('.'));
    }
    const topic = Array.from({ length: 16 }, () => 'a').join('.');
    const found = match(topic);
    expect(found.length).toBeGreaterThan(0);
    expect(compared(topic)).toBe(found.length);
    const longer = `${topic}.a`;
    expect(compared(longer)).toBe(match(longer).length);
  });

  test('a topic that is longer or shorter than all patterns is compared with none of many', () => {
    const { add, compared, match } = counted();
    for (let n = 0; n < 200; n++) add(`*.${n % 2 ? '*' : 'a'}.a.t${n}`);
    expect([match('a.a.a'), compared('a.a.a')]).toEqual([[], 0]);
    for (let n = 0; n < 200; n++) add(`*.a.a.*.u${n}.*`);
    expect([match('a.a.a.b'), compared('a.a.a.b')]).toEqual([[], 0]);
    expect(counted().match('a')).toEqual([]);
  });
});

describe('the slots of a table', () => {
  test('are used again, so that a table in which patterns come and go stays small', () => {
    const { table, add, match } = counted();
    const slots = new Set<number>();
    for (let n = 0; n < 1_000; n++) {
      const kept = add(`kept.*.${n}`);
      const gone = add(`gone.*.${n}`);
      for (const slot of [kept, gone]) slots.add(slot);
      table.remove(gone);
      // A slot that is empty stays empty.
      table.remove(gone);
      table.remove(kept);
      expect(match(`gone.a.${n}`)).toEqual([]);
    }
    expect(slots.size).toBeLessThanOrEqual(2);
  });

  test('reach as far as there are patterns', () => {
    const { table, add, match } = counted();
    const slots = Array.from({ length: 1_000 }, (_, n) => add(`*.${n % 4}`));
    expect(new Set(slots)).toEqual(new Set(Array.from({ length: 1_000 }, (_, n) => n)));
    expect(match('a.1')).toHaveLength(250);
    for (const slot of slots.slice(0, 990)) table.remove(slot);
    expect(match('a.1')).toEqual(Array.from({ length: 2 }, () => '*.1'));
    expect(match('a.2')).toHaveLength(3);
  });
});
