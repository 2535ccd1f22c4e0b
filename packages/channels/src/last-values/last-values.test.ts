import { expect, test } from 'vitest';
import { createLastValues, type LastValues } from './last-values.ts';

const set = (values: LastValues, topic: string, message: string): void =>
  values.set({ id: topic, topic, message, time: '', position: '' });

const topics = (values: LastValues): string[] => values.matching(() => true).map(({ topic }) => topic);

test('last values are bounded by bytes, and the topic without messages for the longest time is removed [R21]', () => {
  const values = createLastValues({ maxTopics: 100, maxBytes: 40 });
  for (const topic of ['a', 'b', 'c']) set(values, topic, 'x'.repeat(10));
  expect(topics(values)).toEqual(['a', 'b', 'c']);
  set(values, 'a', 'y'.repeat(10));
  set(values, 'd', 'z'.repeat(10));
  expect(topics(values)).toEqual(['c', 'a', 'd']);
  // A value that is replaced no longer counts.
  for (let n = 0; n < 10; n++) set(values, 'd', 'z'.repeat(10));
  expect(topics(values)).toEqual(['c', 'a', 'd']);
  set(values, 'e', 'x'.repeat(100));
  expect(topics(values)).toEqual([]);
});

test('older values are added behind newer ones within the same bounds', () => {
  const values = createLastValues({ maxTopics: 3, maxBytes: 1_000 });
  const past = createLastValues({ maxTopics: 3, maxBytes: 1_000 });
  for (const topic of ['a', 'b', 'c']) set(past, topic, 'old');
  for (const topic of ['b', 'd']) set(values, topic, 'new');
  values.addOlder(past);
  expect(values.matching(() => true).map(({ topic, message }) => [topic, message])).toEqual([
    ['c', 'old'],
    ['b', 'new'],
    ['d', 'new'],
  ]);
});
