import type { ChannelName, SubscribeFrom } from '@esdb-gater/types';
import { describe, expect, test } from 'vitest';
import { openChannels } from './open-channels.ts';
import { nextTurn } from './support.ts';

describe('a live subscription', () => {
  test('receives new messages with all their members', async () => {
    const { connect, publish } = openChannels();
    const { sink, subscribe } = connect();
    await publish('system', 'a.b', 'before');
    const { position } = await subscribe('system', 'a.*');
    const next = await publish('system', 'a.b', { n: 1 });
    await nextTurn();
    expect(position).not.toBe(next);
    expect(sink.notices).toEqual([
      {
        method: 'message',
        messageText: '{"n":1}',
        params: {
          channel: 'system',
          topic: 'a.b',
          id: expect.any(String),
          time: '2023-11-14T22:13:20.000Z',
          position: next,
          message: { n: 1 },
        },
      },
    ]);
  });

  test('delivers a message once per connection even if many subscriptions match', async () => {
    const { connect, publish } = openChannels();
    const { sink, subscribe } = connect();
    for (const topic of ['a.b', 'a.*', '>', '*.b']) await subscribe('system', topic);
    await publish('system', 'a.b', 1);
    await nextTurn();
    expect(sink.values).toEqual([1]);
  });

  test('Never again: `events` subscribers receive messages published on `metrics`', async () => {
    const { connect, publish } = openChannels();
    const { sink, subscribe } = connect();
    await subscribe('events', '>');
    await publish('metrics', 'a.b', 'metrics');
    await publish('events', 'a.b', 'events');
    await nextTurn();
    expect(sink.messages.map(({ channel, message }) => [channel, message])).toEqual([['events', 'events']]);
  });

  test('ends with unsubscribe, while another subscription of the connection stays', async () => {
    const { connect, publish } = openChannels();
    const { sink, subscriber, subscribe } = connect();
    await subscribe('system', 'a');
    await subscribe('system', 'b');
    expect(subscriber.unsubscribe({ channel: 'system', topic: 'a' })).toEqual({ removed: true });
    await publish('system', 'a', 1);
    await publish('system', 'b', 2);
    await nextTurn();
    expect(sink.values).toEqual([2]);
  });

  test('Never again: an unknown topic in `unsubscribe` crashing a channel', async () => {
    const { connect, publish } = openChannels();
    const { sink, subscriber, subscribe } = connect();
    await subscribe('system', 'a');
    for (const topic of ['nope', '', '__proto__', '>', 'a..b', 'x'.repeat(5_000)]) {
      expect(subscriber.unsubscribe({ channel: 'system', topic })).toEqual({ removed: false });
    }
    expect(subscriber.unsubscribe({ channel: 'audit', topic: 'a' })).toEqual({ removed: false });
    expect(() => subscriber.unsubscribe({ channel: 'nope' as ChannelName, topic: 'a' })).toThrow(
      expect.objectContaining({ code: 'unknown_channel' }),
    );
    await publish('system', 'a', 1);
    await nextTurn();
    expect(sink.values).toEqual([1]);
  });

  test('takes the place of the same one from before', async () => {
    const { connect, publish, channels } = openChannels();
    const { sink, subscriber, subscribe } = connect();
    await subscribe('system', 'a');
    await subscribe('system', 'a');
    await publish('system', 'a', 1);
    await nextTurn();
    expect(sink.values).toEqual([1]);
    expect(channels.channelInfo().find(({ name }) => name === 'system')?.subscribers).toBe(1);
    expect(subscriber.unsubscribe({ channel: 'system', topic: 'a' })).toEqual({ removed: true });
    expect(subscriber.unsubscribe({ channel: 'system', topic: 'a' })).toEqual({ removed: false });
  });

  test('is refused with a wrong topic, channel, position or time', async () => {
    const { connect } = openChannels();
    const { subscribe } = connect();
    await expect(subscribe('system', 'a.b*')).rejects.toMatchObject({
      code: 'invalid_argument',
      reason: 'topic',
    });
    await expect(subscribe('nope' as ChannelName, 'a')).rejects.toMatchObject({ code: 'unknown_channel' });
    await expect(subscribe('system', 'a', { position: 'x' })).rejects.toMatchObject({
      reason: 'position_malformed',
    });
    for (const from of [
      { time: 'yesterday' },
      { time: '2026-13-01T00:00:00Z' },
      { time: '2026-02-30T00:00:00Z' },
      {},
      'first',
      null,
      1,
    ]) {
      await expect(subscribe('system', 'a', from as SubscribeFrom)).rejects.toMatchObject({ reason: 'from' });
    }
  });

  test('takes names of the prototype for topics', async () => {
    const { connect, publish } = openChannels();
    const { sink, subscribe } = connect();
    for (const topic of ['__proto__', 'constructor.prototype', 'toString']) {
      await subscribe('system', topic);
      await publish('system', topic, topic);
    }
    await nextTurn();
    expect(sink.values).toEqual(['__proto__', 'constructor.prototype', 'toString']);
  });

  test('is limited in number per connection', async () => {
    const { connect } = openChannels({ subscriptionsPerSubscriber: 2 });
    const { subscribe } = connect();
    await subscribe('system', 'a');
    await subscribe('system', 'b');
    await expect(subscribe('system', 'c')).rejects.toMatchObject({ reason: 'too_many_subscriptions' });
    await subscribe('system', 'a');
  });

  test('ends with its connection, and later calls are refused', async () => {
    const { connect, publish, channels } = openChannels();
    const { sink, subscriber, subscribe } = connect();
    await subscribe('system', 'a');
    subscriber.close();
    subscriber.close();
    await publish('system', 'a', 1);
    await nextTurn();
    expect(sink.writes).toEqual([]);
    expect(channels.channelInfo().every(({ subscribers }) => subscribers === 0)).toBe(true);
    await expect(subscribe('system', 'a')).rejects.toMatchObject({ code: 'unavailable' });
  });

  test('is not created when the connection closes meanwhile', async () => {
    const { connect, publish } = openChannels();
    const { sink, subscriber, subscribe } = connect();
    const subscribing = subscribe('system', 'a', 'earliest');
    subscriber.close();
    await expect(subscribing).rejects.toMatchObject({ code: 'unavailable' });
    await publish('system', 'a', 1);
    await nextTurn();
    expect(sink.writes).toEqual([]);
  });

  test('is not created when it is unsubscribed meanwhile', async () => {
    const { connect, publish } = openChannels();
    const { sink, subscriber, subscribe } = connect();
    const subscribing = subscribe('system', 'a');
    expect(subscriber.unsubscribe({ channel: 'system', topic: 'a' })).toEqual({ removed: true });
    await subscribing;
    await publish('system', 'a', 1);
    await nextTurn();
    expect(sink.writes).toEqual([]);
  });

  test('is given up when its call is aborted', async () => {
    const { connect } = openChannels();
    const { subscriber } = connect();
    const params = { channel: 'system', topic: 'a' } as const;
    const call = subscriber.subscribe(params, { signal: AbortSignal.abort() });
    await expect(call).rejects.toMatchObject({ code: 'timeout' });
  });
});
