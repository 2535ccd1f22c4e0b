import { fc } from '@esdb-gater/property-testing';
import { describe, expect, test } from 'vitest';
import { countCalls } from '../testing/index.ts';
import { createTopicMatcher, topicMatches } from './topic-matcher.ts';

const stepsOf = (run: () => void): number => countCalls(String.prototype, ['charCodeAt', 'indexOf'], run);

/** Matches segment by segment, as the specification says. */
function oracle(pattern: string, topic: string): boolean {
  const wanted = pattern.split('.');
  const given = topic.split('.');
  const rest = wanted.at(-1) === '>';
  if (rest ? given.length < wanted.length : given.length !== wanted.length) return false;
  return (rest ? wanted.slice(0, -1) : wanted).every(
    (segment, index) => segment === '*' || segment === given[index],
  );
}

const segment = fc.constantFrom(
  'a',
  'b',
  'ab',
  'a-b',
  'ä',
  '💡',
  '__proto__',
  'constructor',
  'hasOwnProperty',
);
const topic = fc.array(segment, { minLength: 1, maxLength: 5 }).map((segments) => segments.join('.'));
const pattern = fc
  .tuple(fc.array(fc.oneof(segment, fc.constant('*')), { minLength: 1, maxLength: 5 }), fc.boolean())
  .map(([segments, rest]) => [...segments, ...(rest ? ['>'] : [])].join('.'));

describe('topicMatches', () => {
  test('* is exactly one segment and a last > one or more', () => {
    fc.assert(
      fc.property(pattern, topic, (one, other) => topicMatches(one, other) === oracle(one, other)),
      { numRuns: 2_000 },
    );
  });

  test('a topic matches itself, and > alone matches every topic', () => {
    fc.assert(fc.property(topic, (one) => topicMatches(one, one) && topicMatches('>', one)));
  });

  test.each([
    ['a.>', 'a', false],
    ['a.>', 'a.b', true],
    ['a.>', 'a.b.c', true],
    ['*', 'a.b', false],
    ['a.*.c', 'a.b.c', true],
    ['ab', 'abc', false],
    ['abc', 'ab', false],
  ])('%s to %s: %s', (one, other, matches) => {
    expect(topicMatches(one, other)).toBe(matches);
  });

  test('the longest hostile pattern is matched in a number of steps that is linear in its length', () => {
    const hostile = `${'*.'.repeat(31)}b`;
    const victim = `${'a.'.repeat(31)}${'a'.repeat(900)}`;
    expect(stepsOf(() => topicMatches(hostile, victim))).toBeLessThan(6 * hostile.length);
    const long = 'a'.repeat(1_000);
    expect(stepsOf(() => topicMatches(`${long}b`, `${long}a`))).toBeLessThan(4 * long.length);
  });
});

describe('createTopicMatcher', () => {
  test('agrees with the same oracle', () => {
    fc.assert(
      fc.property(pattern, topic, (one, other) => {
        expect(createTopicMatcher(one)(other)).toBe(oracle(one, other));
      }),
      { numRuns: 500 },
    );
  });

  test('matches the longest topic in a number of steps that is linear in the length of the pattern (T16)', () => {
    const longest = [...Array.from({ length: 31 }, () => '*'), 'b'].join('.');
    const other = Array.from({ length: 32 }, () => 'a'.repeat(31)).join('.');
    const matches = createTopicMatcher(longest);
    expect(stepsOf(() => matches(other))).toBeLessThan(6 * longest.length);
    expect(matches(other)).toBe(false);
  });
});
