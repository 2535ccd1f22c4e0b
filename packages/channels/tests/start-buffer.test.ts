import type { ChannelName } from '@esdb-gater/types';
import { expect, test } from 'vitest';
import { createMemoryBroker } from '../src/index.ts';
import { openChannels, withMethods } from './open-channels.ts';
import { nextTurn, until } from './support.ts';

/**
 * Creates channels over a broker that returns its newest position when the test allows it: the position at that time,
 * or an earlier one.
 */
function openSlow() {
  const memory = createMemoryBroker();
  const asked: { begin(at: 'asked' | 'now'): void; fail(): void }[] = [];
  const broker = withMethods(memory, {
    position(channel) {
      if (channel !== 'system' && channel !== 'events') return memory.position(channel);
      const { promise, resolve, reject } = Promise.withResolvers<string>();
      const before = memory.position(channel);
      asked.push({
        begin: (at) => resolve(at === 'now' ? memory.position(channel) : before),
        fail: () => reject(new Error('it cannot say')),
      });
      return promise;
    },
  });
  /** Publishes as another node. */
  const fromElsewhere = (
    topic: string,
    message: string,
    { channel = 'system', time = '2020-01-01T00:00:00.000Z' }: { channel?: ChannelName; time?: string } = {},
  ) =>
    memory.append(channel, {
      id: crypto.randomUUID(),
      topic,
      message,
      time,
      type: 'esdb_gater.message',
      source: 'esdb://default/channel/system',
    });
  return { asked, fromElsewhere, ...openChannels({}, { broker }) };
}

test('receives the messages after its start, once and in order, after its answer', async () => {
  const { asked, connect, publish } = openSlow();
  const { sink, subscribe } = connect();
  const subscribing = subscribe('system', '>');
  for (const n of [1, 2]) await publish('system', `a.${n}`, n);
  await nextTurn();
  asked[0]?.begin('asked');
  await subscribing;
  expect(sink.values).toEqual([]);
  await publish('system', 'a.3', 3);
  await until(() => sink.values.length >= 3);
  await publish('system', 'a.4', 4);
  await nextTurn();
  expect(sink.values).toEqual([1, 2, 3, 4]);
});

test('does not receive messages before its start', async () => {
  const { asked, connect, publish, fromElsewhere } = openSlow();
  const { sink, subscribe } = connect();
  const subscribing = subscribe('system', '>');
  await fromElsewhere('a', 'old');
  asked[0]?.begin('now');
  const { position } = await subscribing;
  await publish('system', 'a', 'new');
  await until(() => sink.values.length > 0);
  expect(sink.values).toEqual(['new']);
  const again = connect();
  await again.subscribe('system', '>', { position });
  await until(() => again.sink.values.length > 0);
  expect(again.sink.values).toEqual(['new']);
});

test('receives messages that were published here after the call, whatever start the broker returns', async () => {
  const { asked, connect, publish } = openSlow();
  const { sink, subscribe } = connect();
  const subscribing = subscribe('system', '>');
  await publish('system', 'a', 'after the call');
  asked[0]?.begin('now');
  await subscribing;
  await until(() => sink.values.length > 0);
  expect(sink.values).toEqual(['after the call']);
});

test('gets the events that were committed after the call, however fast they were', async () => {
  const { asked, clock, connect, fromElsewhere } = openSlow();
  const { sink, subscribe } = connect();
  const subscribing = subscribe('events', '>');
  const at = (ms: number) => ({ channel: 'events', time: new Date(clock.now() + ms).toISOString() }) as const;
  await fromElsewhere('a', 'before', at(-1));
  await fromElsewhere('a', 'at the call', at(0));
  asked[0]?.begin('now');
  await subscribing;
  await until(() => sink.values.length > 0);
  expect(sink.values).toEqual(['at the call']);
});

test('receives a message once that another subscription of its connection, live or pending, receives too', async () => {
  const { asked, connect, publish } = openSlow();
  const { sink, subscribe } = connect();
  const live = subscribe('system', 'a.*');
  asked[0]?.begin('now');
  await live;
  const beginning = [subscribe('system', '*.b'), subscribe('system', '>')];
  await publish('system', 'a.b', 1);
  await publish('system', 'c.b', 2);
  asked[1]?.begin('asked');
  asked[2]?.begin('asked');
  await Promise.all(beginning);
  await nextTurn();
  await publish('system', 'a.b', 3);
  await nextTurn();
  expect(sink.values).toEqual([1, 2, 3]);
});

test('stops buffering once it is unsubscribed, refused or closed', async () => {
  const { asked, connect, publish } = openSlow();
  const unsubscribed = connect();
  const first = unsubscribed.subscribe('system', 'a');
  const refused = connect();
  const second = refused.subscribe('system', 'a');
  const closed = connect();
  const third = closed.subscribe('system', 'a');
  await publish('system', 'a', 1);
  unsubscribed.subscriber.unsubscribe({ channel: 'system', topic: 'a' });
  asked[0]?.begin('asked');
  asked[1]?.fail();
  closed.subscriber.close();
  asked[2]?.begin('asked');
  await first;
  await expect(second).rejects.toThrow('it cannot say');
  await expect(third).rejects.toMatchObject({ code: 'unavailable' });
  await publish('system', 'a', 2);
  await nextTurn();
  for (const { sink } of [unsubscribed, refused, closed]) expect(sink.values).toEqual([]);
});

test('ends when it is unsubscribed in the turn between its answer and the buffered messages', async () => {
  const { asked, connect, publish } = openSlow();
  const { sink, subscriber, subscribe } = connect();
  const subscribing = subscribe('system', 'a');
  await publish('system', 'a', 1);
  asked[0]?.begin('asked');
  await subscribing;
  expect(subscriber.unsubscribe({ channel: 'system', topic: 'a' })).toEqual({ removed: true });
  await publish('system', 'a', 2);
  await nextTurn();
  expect(sink.values).toEqual([]);
});
