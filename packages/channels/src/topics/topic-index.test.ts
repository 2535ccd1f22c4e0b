import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { countCalls } from '@esdb-gater/primitives/testing';
import { countReach, fc } from '@esdb-gater/property-testing';
import { describe, expect, test } from 'vitest';
import { createTopicIndex } from './topic-index.ts';

/** The definition of a match, in its simplest form. */
function oracle(pattern: string[], topic: string[]): boolean {
  const [head, ...rest] = pattern;
  if (head === undefined) return topic.length === 0;
  if (head === '>') return topic.length >= 1;
  return topic.length > 0 && (head === '*' || head === topic[0]) && oracle(rest, topic.slice(1));
}

// Few enough that additions repeat and deletions hit.
const segment = fc.constantFrom('a', '__proto__', 'constructor');
const topics = fc.array(segment, { minLength: 1, maxLength: 4 });
const patterns = fc
  .tuple(fc.array(fc.oneof(segment, fc.constant('*')), { minLength: 1, maxLength: 3 }), fc.boolean())
  .map(([segments, open]) => (open ? [...segments.slice(0, 2), '>'] : segments));
const steps = fc.array(
  fc.oneof(
    {
      weight: 3,
      arbitrary: fc.record({ kind: fc.constant('add' as const), pattern: patterns, value: fc.nat(2) }),
    },
    {
      weight: 2,
      arbitrary: fc.record({ kind: fc.constant('delete' as const), pattern: patterns, value: fc.nat(2) }),
    },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('match' as const), topic: topics }) },
  ),
  { maxLength: 200 },
);

/** Nine segments that are `a`, or `*` where `stars` has a bit; with `open` the last is `>`. */
function similar(stars: number, open = false): string {
  const segments = Array.from({ length: 9 }, (_, at) => ((stars >> at) & 1 ? '*' : 'a'));
  return [...segments.slice(0, open ? 8 : 9), ...(open ? ['>'] : [])].join('.');
}

/** A topic of `length` segments that are `a`, or `b` where `others` has a bit. */
function topicOf(others: number, length = 9): string {
  return Array.from({ length }, (_, at) => ((others >> at) & 1 ? 'b' : 'a')).join('.');
}

/** Whether a pattern made by {@link similar} matches a topic made by {@link topicOf}. */
function isSimilar(stars: number, open: boolean, others: number, length: number): boolean {
  if (open ? length < 9 : length !== 9) return false;
  return (others & ~stars & (open ? 0xff : 0x1ff)) === 0;
}

describe('createTopicIndex', () => {
  test('agrees with a naive oracle for any sequence of additions, removals and look-ups', () => {
    const reach = countReach({ removed: 100, repeated: 50 });
    fc.assert(
      fc.property(steps, fc.constantFrom(2, 4, 1_000), (list, cachedTopics) => {
        const index = createTopicIndex<number>({ cachedTopics });
        const model = new Map<string, { readonly pattern: string[]; readonly value: number }>();
        for (const step of list) {
          if (step.kind === 'match') {
            const expected = new Set(
              [...model.values()]
                .filter(({ pattern }) => oracle(pattern, step.topic))
                .map(({ value }) => value),
            );
            const got = index.match(step.topic.join('.'));
            expect(got.toSorted()).toEqual([...expected].sort());
            continue;
          }
          const pattern = step.pattern.join('.');
          const key = `${pattern} ${step.value}`;
          if (step.kind === 'add') {
            if (model.has(key)) reach.count('repeated');
            expect(index.add(pattern, step.value)).toBe(!model.has(key));
            model.set(key, { pattern: step.pattern, value: step.value });
          } else {
            if (model.has(key)) reach.count('removed');
            expect(index.delete(pattern, step.value)).toBe(model.delete(key));
          }
          expect(index.size).toBe(model.size);
        }
      }),
      { numRuns: 100 },
    );
    reach.check();
  });

  test('agrees with a naive oracle for many similar patterns, which come and go', () => {
    const reach = countReach({ added: 1_000, removed: 1_000, largest: 257, many: 20 });
    const pattern = fc.record({ stars: fc.nat(511), open: fc.boolean() });
    const toggle = fc.record({
      kind: fc.constant('toggle' as const),
      list: fc.array(pattern, { maxLength: 40 }),
    });
    const thin = fc.record({ kind: fc.constant('thin' as const), every: fc.integer({ min: 2, max: 9 }) });
    const match = fc.record({
      kind: fc.constant('match' as const),
      // Mostly few segments that differ, so that many patterns match.
      others: fc.oneof(fc.constantFrom(0, 1, 2, 4, 256, 257, 40), fc.nat(511)),
      length: fc.constantFrom(8, 9, 9, 9, 9, 10, 12),
    });
    const change = fc.oneof(
      { weight: 4, arbitrary: toggle },
      { weight: 1, arbitrary: thin },
      { weight: 8, arbitrary: match },
    );
    fc.assert(
      fc.property(
        fc.array(pattern, { minLength: 200, maxLength: 700 }),
        fc.array(change, { minLength: 10, maxLength: 30 }),
        (first, changes) => {
          const index = createTopicIndex<string>({ cachedTopics: 2 });
          const model = new Map<string, { readonly stars: number; readonly open: boolean }>();
          const flip = (stars: number, open: boolean): void => {
            const text = similar(stars, open);
            if (model.delete(text)) {
              reach.count('removed');
              expect(index.delete(text, text)).toBe(true);
            } else {
              reach.count('added');
              model.set(text, { stars, open });
              expect(index.add(text, text)).toBe(true);
            }
            reach.largest('largest', model.size);
          };
          for (const { stars, open } of first) flip(stars, open);
          for (const step of changes) {
            if (step.kind === 'toggle') for (const { stars, open } of step.list) flip(stars, open);
            else if (step.kind === 'thin') {
              const leaving = [...model.values()].filter((_, n) => n % step.every === 0);
              for (const { stars, open } of leaving) flip(stars, open);
            } else {
              const expected = [...model]
                .filter(([, { stars, open }]) => isSimilar(stars, open, step.others, step.length))
                .map(([text]) => text);
              if (expected.length > 64) reach.count('many');
              const got = index.match(topicOf(step.others, step.length));
              expect(got.toSorted()).toEqual(expected.toSorted());
            }
          }
        },
      ),
      { numRuns: 40 },
    );
    reach.check();
  });

  test('finds the 256 of 511 similar patterns that match, and those that remain when half have left', () => {
    const index = createTopicIndex<number>();
    const all = Array.from({ length: 511 }, (_, n) => n + 1);
    for (const n of all) index.add(similar(n), n);
    const sorted = (topic: string): number[] => index.match(topic).toSorted((one, other) => one - other);
    expect(sorted(topicOf(0))).toEqual(all);
    const odd = all.filter((n) => n % 2 === 1);
    expect(odd).toHaveLength(256);
    expect(sorted(topicOf(1))).toEqual(odd);
    for (const n of all) if (n % 4 < 2) index.delete(similar(n), n);
    expect(sorted(topicOf(0))).toEqual(all.filter((n) => n % 4 >= 2));
    expect(sorted(topicOf(1))).toEqual(all.filter((n) => n % 4 === 3));
    // Others take their places.
    for (const n of all) if (n % 4 < 2) index.add(similar(n, true), -n);
    expect(sorted(topicOf(1, 10))).toEqual(
      all
        .filter((n) => n % 4 === 1)
        .map((n) => -n)
        .toReversed(),
    );
  });

  test('a pattern that leaves does not take others with it that have the same segments', () => {
    const index = createTopicIndex<string>();
    for (const pattern of ['a.*.c', 'a.*.d', '*.b.c', 'a.>', 'a.b.>']) index.add(pattern, pattern);
    for (const [leaving, left] of [
      ['a.*.c', ['*.b.c', 'a.>', 'a.b.>']],
      ['a.>', ['*.b.c', 'a.b.>']],
      ['*.b.c', ['a.b.>']],
    ] as const) {
      expect(index.delete(leaving, leaving)).toBe(true);
      expect(index.match('a.b.c').toSorted()).toEqual(left);
      expect(index.match('a.b.d').toSorted()).toContain('a.*.d');
    }
  });

  test('a pattern stays as long as one of its subscribers does', () => {
    const index = createTopicIndex<string>();
    for (const value of ['one', 'other']) for (const pattern of ['a', 'a.*']) index.add(pattern, value);
    for (const pattern of ['a', 'a.*']) index.delete(pattern, 'one');
    expect([index.match('a'), index.match('a.b'), index.size]).toEqual([['other'], ['other'], 2]);
  });

  test('`>` needs a segment, also where it stands behind others', () => {
    const index = createTopicIndex<string>();
    for (const pattern of ['a.>', '*.>', 'a.b.>', 'c.*']) index.add(pattern, pattern);
    expect(index.match('a')).toEqual([]);
    expect(index.match('c')).toEqual([]);
    expect(index.match('a.b').toSorted()).toEqual(['*.>', 'a.>']);
    expect(index.match('a.b.c').toSorted()).toEqual(['*.>', 'a.>', 'a.b.>']);
  });

  test('returns a subscriber once even if many of its patterns match', () => {
    const index = createTopicIndex<string>();
    for (const pattern of ['a.b', 'a.*', '*.b', 'a.>', '>']) index.add(pattern, 'one');
    index.add('a.b', 'other');
    expect(index.match('a.b').toSorted()).toEqual(['one', 'other']);
  });

  test('Never again: wildcards without matches', () => {
    const index = createTopicIndex<string>();
    index.add('user.*', 'star');
    index.add('user.>', 'rest');
    expect(index.match('user.created').toSorted()).toEqual(['rest', 'star']);
    expect(index.match('user.a.b')).toEqual(['rest']);
    expect(index.match('user')).toEqual([]);
  });

  test('reflects a change at once, also for a cached topic', () => {
    const index = createTopicIndex<string>();
    expect(index.match('a.b')).toEqual([]);
    index.add('a.*', 'x');
    expect(index.match('a.b')).toEqual(['x']);
    index.delete('a.*', 'x');
    expect(index.match('a.b')).toEqual([]);
  });

  test('a change reaches all cached topics, those that were asked long ago too', () => {
    const index = createTopicIndex<string>({ cachedTopics: 4 });
    const asked = ['a', 'b', 'c', 'd', 'e'];
    for (const topic of asked) expect(index.match(topic)).toEqual([]);
    index.add('>', 'x');
    for (const topic of asked) expect(index.match(topic)).toEqual(['x']);
    index.delete('>', 'x');
    for (const topic of asked) expect(index.match(topic)).toEqual([]);
  });

  test('never changes an array that it has given', () => {
    const index = createTopicIndex<string>();
    index.add('a', 'x');
    const before = index.match('a');
    index.add('a', 'y');
    expect(before).toEqual(['x']);
    expect(index.match('a')).toEqual(['x', 'y']);
    expect(index.match('a')).toBe(index.match('a'));
    expect(Object.isFrozen(before)).toBe(true);
    index.add('*', 'x');
    expect(Object.isFrozen(index.match('a'))).toBe(true);
  });

  test('matches against the worst of 10 000 patterns in at most one pass per segment (T16)', () => {
    const index = createTopicIndex<number>({ cachedTopics: 2 });
    for (let n = 0; n < 10_000; n++) {
      // Each agrees with the topic everywhere but at one place, and no place rules out many.
      const segments: string[] = Array.from({ length: 32 }, (_, at) =>
        ((n * 2_654_435_761) >>> (at % 29)) & 1 ? '*' : 'a',
      );
      segments[n % 32] = 'end';
      index.add(segments.join('.'), n);
    }
    // Each pass begins with a copy of the bits; a comparison of single patterns makes none.
    const passes = (topic: string): number =>
      countCalls(Object.getPrototypeOf(Uint32Array.prototype) as Uint32Array, ['set'], () =>
        expect(index.match(topic)).toEqual([]),
      );
    const most = Array.from({ length: 32 }, () => 'a').join('.');
    expect(passes(most)).toBe(32);
    for (let n = 0; n < 20; n++) {
      const topic = [...Array.from({ length: 31 }, () => 'a'), n % 2 ? 'a' : `x${n}`].join('.');
      expect(passes(topic)).toBeLessThanOrEqual(32);
    }
  });

  test('finds a topic that it was asked before without looking at a pattern', () => {
    const index = createTopicIndex<number>();
    for (let n = 0; n < 10_000; n++) index.add(`store.*.t${n}.>`, n);
    const topics = Array.from({ length: 500 }, (_, n) => `store.s.t${n}.x`);
    const first = topics.map((topic) => index.match(topic));
    expect(first).toEqual(topics.map((_, n) => [n]));
    // A topic that is matched anew is split into its segments, and has a new array.
    const splits = countCalls(String.prototype, ['split', 'charCodeAt', 'indexOf'], () => {
      for (const [n, topic] of topics.entries())
        if (index.match(topic) !== first[n]) expect.unreachable(topic);
    });
    expect(splits).toBe(0);
    index.add('other', 1);
    expect(countCalls(String.prototype, ['split'], () => index.match(topics[0] ?? ''))).toBe(1);
  });

  test('patterns that have left take no memory', () => {
    const index = createTopicIndex<number>();
    const comeAndLeave = (from: number): void => {
      for (let n = from; n < from + 20_000; n++) {
        index.add(`tenant-${n}.*`, n);
        index.delete(`tenant-${n}.*`, n);
      }
    };
    comeAndLeave(0);
    const before = usedBytes();
    comeAndLeave(20_000);
    expect(index.size).toBe(0);
    // With 100 bytes of each it would be 2 MB.
    expect(usedBytes() - before).toBeLessThan(1024 * 1024);
  });
});

/** The bytes of the heap that are in use, after a collection. */
function usedBytes(): number {
  setFlagsFromString('--expose-gc');
  runInNewContext('gc')();
  return process.memoryUsage().heapUsed;
}
