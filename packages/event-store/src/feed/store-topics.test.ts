import { expect, test } from 'vitest';
import { compileStoreTopics } from './store-topics.ts';

test.each([
  ['{storeId}.{streamId}.{type}', '>', true],
  ['{storeId}.{streamId}.{type}', 'main.>', true],
  ['{storeId}.{streamId}.{type}', 'main.*.created', true],
  ['{storeId}.{streamId}.{type}', '*.*.created', true],
  ['{storeId}.{streamId}.{type}', 'other.>', false],
  ['{storeId}.{streamId}.{type}', 'main.*', false],
  ['{storeId}.{streamId}.{type}', 'main.a.b.c', false],
  ['events.x-{storeId}.{type}', 'events.x-main.*', true],
  ['events.x-{storeId}.{type}', 'events.x-other.*', false],
  ['events.x-{storeId}.{type}', 'things.>', false],
  ['{typePath}', 'user.created', true],
  ['{typePath}.{storeId}', 'user.created.other', true],
  ['{category}', 'user', true],
  ['{category}', 'user.created', false],
])('with the template %s, %s can match the store `main`: %s', (template, pattern, expected) => {
  expect(compileStoreTopics(template)('main', pattern)).toBe(expected);
});
