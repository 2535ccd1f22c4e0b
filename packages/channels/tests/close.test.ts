import { createFakeClock } from '@esdb-gater/primitives/testing';
import { expect, test } from 'vitest';
import { createChannels, createMemoryBroker } from '../src/index.ts';
import { nextTurn, TestSink } from './support.ts';

test('after their end the channels are closed for everything, and nothing is delivered', async () => {
  const clock = createFakeClock();
  const broker = createMemoryBroker({ clock });
  const channels = createChannels({ broker, clock });
  const sink = new TestSink();
  const subscriber = channels.connect({ sink });
  await subscriber.subscribe({ channel: 'logging', topic: '>' });
  await channels.publish({ channel: 'logging', topic: 'a', message: 1 });
  await channels.close();
  await channels.close();
  expect(() => channels.connect({ sink })).toThrow(expect.objectContaining({ code: 'unavailable' }));
  await expect(channels.publish({ channel: 'logging', topic: 'a', message: 2 })).rejects.toMatchObject({
    code: 'unavailable',
  });
  await expect(subscriber.subscribe({ channel: 'logging', topic: 'a' })).rejects.toMatchObject({
    code: 'unavailable',
  });
  // A broker that was passed in belongs to its owner, who may give it to other channels.
  const record = { id: '1', topic: 'a', message: 3, time: '', type: '', source: '' };
  await broker.append('logging', record);
  await nextTurn();
  clock.advance(10);
  expect(sink.writes).toEqual([]);
  expect(channels.channelInfo().find(({ name }) => name === 'logging')).toMatchObject({
    subscribers: 0,
    publishedPerSecond: 1,
  });
  expect(broker.health().status).toBe('healthy');
  const next = createChannels({ broker, clock });
  await next.close();
  await nextTurn();
  expect(clock.timers).toBe(0);
});

test.each([
  ['queueBytes', 0],
  ['queueMessages', 0],
  ['queueBytes', 1.5],
])('a connection with %s of %d is refused by name', async (member, value) => {
  const channels = createChannels();
  expect(() => channels.connect({ sink: new TestSink(), [member]: value })).toThrow(
    expect.objectContaining({ code: 'invalid_argument', reason: 'queue_option', member }),
  );
  channels.connect({ sink: new TestSink(), queueBytes: 1, queueMessages: 1 }).close();
  await channels.close();
});
