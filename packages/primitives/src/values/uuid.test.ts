import { expect, test } from 'vitest';
import { isUuid, uuidV5 } from './uuid.ts';

test('a UUIDv5 equals the result of another implementation', () => {
  // python3 -c "import uuid; print(uuid.uuid5(uuid.NAMESPACE_URL, 'http://www.example.com/'))"
  expect(uuidV5('http://www.example.com/')).toBe('fcde3c85-2270-590f-9e7c-ee003d65e0e2');
  expect(uuidV5('esdb_channel_events/0/17')).toBe('199ba712-699e-5bc9-b90f-49b5aed2d009');
  expect(uuidV5('Größe/中/💡')).toBe('96e322d4-9a52-5b3e-bbbc-2950cd8848a8');
});

test('a lone surrogate in a name counts as U+FFFD', () => {
  expect(uuidV5('a\ud800')).toBe(uuidV5('a\ufffd'));
});

test.each([
  ['018f3c1e-3b7a-7000-8000-0123456789ab', true],
  ['018F3C1E-3B7A-7000-8000-0123456789AB', true],
  ['00000000-0000-0000-0000-000000000000', true],
  ['ffffffff-ffff-ffff-ffff-ffffffffffff', true],
  ['018f3c1e-3b7a-7000-8000-0123456789a', false],
  ['018f3c1e-3b7a-7000-8000-0123456789abc', false],
  ['018f3c1e-3b7a-7000-8000-0123456789ag', false],
  ['018f3c1e3b7a700080000123456789ab', false],
  ['018f3c1e-3b7a-7000-8000-0123456789ab\n', false],
  [5, false],
  [undefined, false],
])('%j: %s', (value, expected) => {
  expect(isUuid(value)).toBe(expected);
});
