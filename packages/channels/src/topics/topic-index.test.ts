import { countCalls } from '@esdb-gater/primitives/testing';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createTopicIndex } from './topic-index.ts';

/** The definition of a match, in its simplest form. */
function oracle(pattern: string[], topic: string[]): boolean {
  const [head, ...rest] = pattern;
  if (head === undefined) return topic.length === 0;
  if (head === '>') return topic.length >= 1;
  return topic.length > 0 && (head === '*' || head === topic[0]) && oracle(rest, topic.slice(1));
}

const segment = fc.constantFrom('a', 'b', 'c', '__proto__', 'constructor', 'hasOwnProperty');
const topics = fc.array(segment, { minLength: 1, maxLength: 5 });
const patterns = fc
  .tuple(fc.array(fc.oneof(segment, fc.constant('*')), { minLength: 1, maxLength: 5 }), fc.boolean())
  .map(([segments, open]) => (open ? [...segments.slice(0, 4), '>'] : segments));
const steps = fc.array(
  fc.oneof(
    {
      weight: 3,
      arbitrary: fc.record({ kind: fc.constant('add' as const), pattern: patterns, value: fc.nat(5) }),
    },
    {
      weight: 2,
      arbitrary: fc.record({ kind: fc.constant('delete' as const), pattern: patterns, value: fc.nat(5) }),
    },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('match' as const), topic: topics }) },
  ),
  { maxLength: 60 },
);

describe('createTopicIndex', () => {
  test('agrees with a naive oracle for any sequence of additions, removals and look-ups', () => {
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
            expect(index.add(pattern, step.value)).toBe(!model.has(key));
            model.set(key, { pattern: step.pattern, value: step.value });
          } else {
            expect(index.delete(pattern, step.value)).toBe(model.delete(key));
          }
          expect(index.size).toBe(model.size);
        }
      }),
      { numRuns: 200 },
    );
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

  test('never changes an array that it has given', () => {
    const index = createTopicIndex<string>();
    index.add('a', 'x');
    const before = index.match('a');
    index.add('a', 'y');
    expect(before).toEqual(['x']);
    expect(index.match('a')).toEqual(['x', 'y']);
    expect(index.match('a')).toBe(index.match('a'));
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
});
