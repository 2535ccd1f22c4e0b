import { expect, test } from 'vitest';
import { feedRecord } from './feed-record.ts';
import { compileFeedTopic } from './feed-topic.ts';

const EVENT = {
  id: '0190d2a0-0000-7000-8000-000000000000',
  type: 'user_created',
  storeId: 'main',
  streamId: "user's *1*/ü",
  version: 3,
  position: 17,
  data: { a: 1 },
  metadata: {},
  tags: [],
  timestamp: '2026-01-01T00:00:00.000Z',
  epochUs: 1_767_225_600_000_000,
};

test('a fed record carries the event, its id, time, type and origin', () => {
  const record = feedRecord(EVENT, compileFeedTopic('{typePath}'), 'my realm');
  expect(record).toEqual({
    id: EVENT.id,
    topic: 'user.created',
    message: EVENT,
    time: EVENT.timestamp,
    type: 'user_created',
    source: 'esdb://my%20realm/stream/main/user%27s%20%2A1%2A%2F%C3%BC',
    partitionKey: 'main.user_s__1_/_',
    fed: { storeId: 'main', position: 17 },
  });
});

test('all events of a stream share a partition whatever the template', () => {
  const keys = ['{typePath}', '{storeId}.{streamId}.{type}', '{category}'].map(
    (template) => feedRecord(EVENT, compileFeedTopic(template), 'default').partitionKey,
  );
  expect(new Set(keys).size).toBe(1);
});
