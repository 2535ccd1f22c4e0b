import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isTopic, isTopicPattern, topicMatches } from './topics.ts';

/** What matching means, segment by segment. */
function oracle(pattern: string, topic: string): boolean {
  const wanted = pattern.split('.');
  const given = topic.split('.');
  const rest = wanted.at(-1) === '>';
  if (rest ? given.length < wanted.length : given.length !== wanted.length) return false;
  return (rest ? wanted.slice(0, -1) : wanted).every(
    (segment, index) => segment === '*' || segment === given[index],
  );
}

const segment = fc.constantFrom('a', 'b', 'ab', 'a-b', 'ä', '💡');
const topic = fc.array(segment, { minLength: 1, maxLength: 5 }).map((segments) => segments.join('.'));
const pattern = fc
  .tuple(fc.array(fc.oneof(segment, fc.constant('*')), { minLength: 1, maxLength: 5 }), fc.boolean())
  .map(([segments, rest]) => [...segments, ...(rest ? ['>'] : [])].join('.'));

describe('topicMatches', () => {
  it('* is exactly one segment and a last > one or more', () => {
    fc.assert(
      fc.property(pattern, topic, (one, other) => topicMatches(one, other) === oracle(one, other)),
      { numRuns: 2_000 },
    );
  });

  it('a topic matches itself, and > alone matches every topic', () => {
    fc.assert(fc.property(topic, (one) => topicMatches(one, one) && topicMatches('>', one)));
  });

  it.each([
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

  it('the longest hostile pattern takes well under a millisecond', () => {
    const hostile = `${'*.'.repeat(31)}b`;
    const victim = `${'a.'.repeat(31)}${'a'.repeat(900)}`;
    const start = performance.now();
    for (let run = 0; run < 1_000; run++) topicMatches(hostile, victim);
    expect((performance.now() - start) / 1_000).toBeLessThan(1);
  });
});

describe('topics', () => {
  it.each([
    ['a', true, true],
    ['a.b-c.ä', true, true],
    ['__proto__', true, true],
    [Array(32).fill('a').join('.'), true, true],
    [Array(33).fill('a').join('.'), false, false],
    ['x'.repeat(1_024), true, true],
    ['x'.repeat(1_025), false, false],
    ['a.*', false, true],
    ['a.>', false, true],
    ['>.a', false, false],
    ['a*', false, false],
    ['a.b>', false, false],
    ['', false, false],
    ['a..b', false, false],
    ['.a', false, false],
    ['a.', false, false],
    ['a b', false, false],
    ['a\u00a0b', false, false],
    ['a\u007f', false, false],
    ['\ud800', false, false],
    [5, false, false],
  ])('%j', (value, isOne, isPattern) => {
    expect([isTopic(value), isTopicPattern(value)]).toEqual([isOne, isPattern]);
  });
});
