import { describe, expect, test } from 'vitest';
import { findTopicProblem, isTopic, isTopicPattern } from './topic-grammar.ts';

describe('isTopic and isTopicPattern', () => {
  test.each([
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
    ['\udbff\udfff.\ud800\udc00', true, true],
    ['\udbff\ue000', false, false],
    ['\ud800\udbff', false, false],
    ['\udc00\udc00', false, false],
    ['\ud7ff\ue000', true, true],
    ['~!', true, true],
    ['a.*.>', false, true],
    ['*.*', false, true],
    ['a.>.', false, false],
    ['a.*b', false, false],
    [5, false, false],
  ])('%j', (value, isOne, isPattern) => {
    expect([isTopic(value), isTopicPattern(value)]).toEqual([isOne, isPattern]);
  });
});

describe('the topic of a record that another client wrote', () => {
  test.each([
    'a',
    'a.b',
    'user.created',
    'a*b',
    '__proto__',
    'ünï.cödé',
    `${'a.'.repeat(31)}a`,
    'x'.repeat(1_024),
  ])('%j is one', (text) => {
    expect(findTopicProblem(text, 'letters')).toBeUndefined();
  });

  test.each([
    '',
    '.',
    'a.',
    '.a',
    'a..b',
    '*',
    'a.*',
    '>',
    'a.>',
    'a b',
    'a\tb',
    'a\u0000b',
    'a\u007fb',
    'a\u00a0b',
    'a\u2028b',
    'a\ufeffb',
    `${'a.'.repeat(32)}a`,
    'x'.repeat(1_025),
  ])('%j is not', (text) => {
    expect(findTopicProblem(text, 'letters')).toBeDefined();
  });
});
