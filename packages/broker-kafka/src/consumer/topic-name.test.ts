import { expect, test } from 'vitest';
import { isTopic } from './topic-name.ts';

test.each([
  'a',
  'a.b',
  'user.created',
  'a*b',
  '__proto__',
  'ünï.cödé',
  `${'a.'.repeat(31)}a`,
  'x'.repeat(1_024),
])('%j is a topic', (text) => expect(isTopic(text)).toBe(true));

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
])('%j is no topic', (text) => expect(isTopic(text)).toBe(false));
