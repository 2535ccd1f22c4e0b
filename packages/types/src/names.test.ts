import { describe, expect, test } from 'vitest';
import { isName, isStoreId, isStreamId } from './names.ts';

describe('names', () => {
  test('takes store ids of 1 to 64 letters, digits, `_` and `-`', () => {
    expect(['a', 'default', 'A-1_b', 'x'.repeat(64), '__proto__'].every(isStoreId)).toBe(true);
    expect(['', 'x'.repeat(65), 'a b', 'a.b', 'ä', 'a\n', 1, null].some(isStoreId)).toBe(false);
  });

  test('takes any text of 1 to 255 UTF-16 units as a name', () => {
    expect(['a', 'user created', '💥', '__proto__', 'constructor', 'x'.repeat(255)].every(isName)).toBe(true);
    expect(['', 'x'.repeat(256)].some(isName)).toBe(false);
  });

  test('refuses control characters and lone surrogates', () => {
    expect(['a\u0000', 'a\nb', '\u007f', '\u0085', '\ud800', 'a\udc00b'].some(isName)).toBe(false);
  });

  test('refuses `.`, `..` and `$all` as stream ids only [R34]', () => {
    expect(['.', '..', '$all'].some(isStreamId)).toBe(false);
    expect(['.', '..', '$all'].every(isName)).toBe(true);
    expect(['...', '$al', '$all ', '$ALL', 'a$all'].every(isStreamId)).toBe(true);
  });
});
