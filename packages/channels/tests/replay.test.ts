import { GaterError, silentLogger } from '@esdb-gater/types';
import { describe, expect, test } from 'vitest';
import { createMemoryBroker } from '../src/index.ts';
import { openChannels, withMethods } from './open-channels.ts';
import { nextTurn, until } from './support.ts';

describe('a replay', () => {
  test('delivers the history, marked with the subscription, then `replayed`, then live messages', async () => {
    const { connect, publish } = openChannels();
    for (let n = 0; n < 3; n++) await publish('system', 'a.b', n);
    await publish('system', 'other', 'other');
    const { sink, subscribe } = connect();
    await subscribe('system', 'a.*', 'earliest');
    await until(() => sink.notices.some(({ method }) => method === 'replayed'));
    await publish('system', 'a.b', 3);
    await nextTurn();
    expect(
      sink.notices.map(({ method, params }) =>
        'message' in params
          ? [method, params.message, params.replayFor]
          : [method, 'topic' in params && params.topic],
      ),
    ).toEqual([
      ['message', 0, 'a.*'],
      ['message', 1, 'a.*'],
      ['message', 2, 'a.*'],
      ['replayed', 'a.*'],
      ['message', 3, undefined],
    ]);
  });

  test('comes after the answer to `subscribe`', async () => {
    const { connect, publish } = openChannels();
    await publish('events', 'a', 1);
    const { sink, subscribe } = connect();
    await subscribe('events', 'a', 'earliest');
    for (let n = 0; n < 20; n++) await Promise.resolve();
    expect(sink.writes).toEqual([]);
    await until(() => sink.notices.length === 2);
  });

  test('resumes after a position without loss or double', async () => {
    const { connect, publish } = openChannels();
    const positions: string[] = [];
    for (let n = 0; n < 10; n++) positions.push(await publish('system', 'a', n));
    const { sink, subscribe } = connect();
    const { position, lost } = await subscribe('system', 'a', { position: positions[3] ?? '' });
    expect([position, lost]).toEqual([positions[3], undefined]);
    await until(() => sink.messages.length === 6);
    expect(sink.values).toEqual([4, 5, 6, 7, 8, 9]);
  });

  test('begins at a time, inclusive', async () => {
    const { connect, publish, clock } = openChannels();
    for (let n = 0; n < 5; n++) {
      await publish('system', 'a', n);
      clock.advance(1_000);
    }
    const { sink, subscribe } = connect();
    await subscribe('system', 'a', { time: '2023-11-14T23:13:22+01:00' });
    await until(() => sink.notices.some(({ method }) => method === 'replayed'));
    expect(sink.values).toEqual([2, 3, 4]);
  });

  test('refuses a position older than the history as lost', async () => {
    const { connect, publish } = openChannels({ channels: { system: { history: 5 } } });
    const first = await publish('system', 'a', 0);
    for (let n = 1; n < 10; n++) await publish('system', 'a', n);
    const { sink, subscribe } = connect();
    const error = await subscribe('system', 'a', { position: first }).catch((reason: unknown) => reason);
    expect(error).toMatchObject({
      code: 'invalid_argument',
      reason: 'position_lost',
      oldest: expect.any(String),
    });
    const oldest = (error as { oldest: string }).oldest;
    await subscribe('system', 'a', { position: oldest });
    await until(() => sink.messages.length === 5);
    expect(sink.values).toEqual([5, 6, 7, 8, 9]);
  });

  test('leaves an earlier subscription in place when it is refused', async () => {
    const { connect, publish } = openChannels();
    const { sink, subscribe } = connect();
    await subscribe('system', 'a');
    await expect(subscribe('system', 'a', { position: 'x' })).rejects.toThrow();
    await publish('system', 'a', 1);
    await nextTurn();
    expect(sink.values).toEqual([1]);
  });

  test('delivers a message that also matches a live subscription twice: once live, once in the replay', async () => {
    const { connect, publish } = openChannels();
    const { sink, subscribe } = connect();
    await subscribe('system', '>');
    await publish('system', 'a', 1);
    await subscribe('system', 'a', 'earliest');
    await until(() => sink.notices.length === 3);
    expect(sink.messages.map(({ message, replayFor }) => [message, replayFor])).toEqual([
      [1, undefined],
      [1, 'a'],
    ]);
  });

  test('delivers messages that are published meanwhile in the replay, when only replaying subscriptions match', async () => {
    const { connect, publish } = openChannels();
    await publish('system', 'a', 1);
    const { sink, subscribe } = connect();
    await subscribe('system', 'a', 'earliest');
    await publish('system', 'a', 2);
    await until(() => sink.notices.length === 3);
    expect(sink.messages.map(({ message, replayFor }) => [message, replayFor])).toEqual([
      [1, 'a'],
      [2, 'a'],
    ]);
  });

  test('ends with unsubscribe, without `replayed`', async () => {
    const { connect, publish } = openChannels();
    for (let n = 0; n < 1_000; n++) await publish('system', 'a', n);
    const { sink, subscriber, subscribe } = connect();
    await subscribe('system', 'a', 'earliest');
    await until(() => sink.messages.length > 0);
    expect(subscriber.unsubscribe({ channel: 'system', topic: 'a' })).toEqual({ removed: true });
    for (let n = 0; n < 10; n++) await nextTurn();
    expect(sink.messages.length).toBeLessThan(1_000);
    expect(sink.notices.every(({ method }) => method === 'message')).toBe(true);
  });

  test('never fills the queue: it waits for a connection that is slow', async () => {
    const { connect, publish } = openChannels();
    for (let n = 0; n < 1_000; n++) await publish('system', 'a', [n, 'x'.repeat(1_000)]);
    const { sink, subscriber, subscribe } = connect({ queueBytes: 100_000, queueMessages: 50 });
    sink.stalled = true;
    await subscribe('system', 'a', 'earliest');
    for (let n = 0; n < 50; n++) await nextTurn();
    expect(sink.messages.length).toBeLessThan(200);
    while (sink.messages.length < 1_000) {
      sink.buffered = 0;
      subscriber.drained();
      await nextTurn();
    }
    expect(sink.overflows).toBe(0);
    expect(sink.values.map((value) => (value as number[])[0])).toEqual(
      Array.from({ length: 1_000 }, (_, n) => n),
    );
  });

  test('ends the connection as too slow when the history leaves it behind', async () => {
    const { connect, publish } = openChannels({ channels: { system: { history: 100 } } });
    for (let n = 0; n < 100; n++) await publish('system', 'a', 'x'.repeat(1_000));
    const { sink, subscriber, subscribe } = connect({ queueMessages: 20 });
    sink.stalled = true;
    await subscribe('system', 'a', 'earliest');
    for (let n = 0; n < 20; n++) await nextTurn();
    for (let n = 0; n < 500; n++) await publish('system', 'a', n);
    for (let n = 0; n < 50 && sink.overflows === 0; n++) {
      sink.buffered = 0;
      subscriber.drained();
      await nextTurn();
    }
    expect(sink.overflows).toBe(1);
  });

  test('is tried again when the broker cannot be read', async () => {
    const broker = createMemoryBroker();
    let failures = 2;
    const { connect, publish, clock } = openChannels(
      {},
      {
        broker: withMethods(broker, {
          async *read(...args) {
            for await (const batch of broker.read(...args)) {
              const half = batch.slice(0, 2);
              yield half;
              if (failures-- > 0) throw new GaterError('unavailable', 'away');
              yield batch.slice(2);
            }
          },
        }),
      },
    );
    for (let n = 0; n < 6; n++) await publish('system', 'a', n);
    const { sink, subscribe } = connect();
    await subscribe('system', 'a', 'earliest');
    await until(() => {
      clock.advance(1_000);
      return sink.notices.some(({ method }) => method === 'replayed');
    });
    expect(sink.values).toEqual([0, 1, 2, 3, 4, 5]);
  });
});

describe('the channel `health`', () => {
  test('replays the last message of each matching topic to a new subscription', async () => {
    const { connect, publish } = openChannels();
    for (const [topic, message] of [
      ['node.a', 1],
      ['node.b', 2],
      ['node.a', 3],
      ['other', 4],
    ] as const) {
      await publish('health', topic, message);
    }
    const { sink, subscribe } = connect();
    await subscribe('health', 'node.*');
    await until(() => sink.notices.some(({ method }) => method === 'replayed'));
    await publish('health', 'node.a', 5);
    await nextTurn();
    expect(sink.messages.map(({ message, replayFor }) => [message, replayFor])).toEqual([
      [2, 'node.*'],
      [3, 'node.*'],
      [5, undefined],
    ]);
  });

  test('keeps a limited number of topics, and removes the one without messages for the longest time', async () => {
    const { connect, publish } = openChannels({ lastValueTopics: 2 });
    for (const topic of ['a', 'b', 'a', 'c']) await publish('health', topic, topic);
    const { sink, subscribe } = connect();
    await subscribe('health', '>');
    await until(() => sink.notices.some(({ method }) => method === 'replayed'));
    expect(sink.values).toEqual(['a', 'c']);
  });

  test('replays the history when that is asked for', async () => {
    const { connect, publish } = openChannels();
    for (const n of [1, 2, 3]) await publish('health', 'a', n);
    const { sink, subscribe } = connect();
    await subscribe('health', 'a', 'earliest');
    await until(() => sink.notices.some(({ method }) => method === 'replayed'));
    expect(sink.values).toEqual([1, 2, 3]);
  });

  test('loads the last values that the broker keeps at the start', async () => {
    const broker = createMemoryBroker();
    for (const n of [1, 2]) {
      await broker.append('health', { id: `${n}`, topic: 'a', message: n, time: '', type: '', source: '' });
    }
    const { connect } = openChannels({}, { broker });
    const { sink, subscribe } = connect();
    await subscribe('health', 'a');
    await until(() => sink.notices.some(({ method }) => method === 'replayed'));
    expect(sink.values).toEqual([2]);
  });

  test('does not wait for ever for a broker that is away', async () => {
    const broker = createMemoryBroker();
    const { connect, clock } = openChannels(
      {},
      { broker: withMethods(broker, { resolve: () => new Promise(() => {}) }) },
    );
    const { subscribe } = connect();
    const subscribing = subscribe('health', 'a');
    await nextTurn();
    clock.advance(2_000);
    await subscribing;
  });

  test('loads the last values later when the broker is unavailable at first, and warns once', async () => {
    const broker = createMemoryBroker();
    await broker.append('health', { id: '1', topic: 'a', message: 1, time: '', type: '', source: '' });
    let failures = 2;
    const resolve: typeof broker.resolve = (...args) =>
      failures-- > 0 ? Promise.reject(new GaterError('unavailable', 'away')) : broker.resolve(...args);
    const warnings: string[] = [];
    const logger = { ...silentLogger, warn: (_: object, message: string) => warnings.push(message) };
    const { connect, clock } = openChannels({}, { broker: withMethods(broker, { resolve }), logger });
    const { sink, subscribe } = connect();
    const subscribing = subscribe('health', 'a');
    await until(() => {
      clock.advance(200);
      return sink.notices.some(({ method }) => method === 'replayed');
    });
    await subscribing;
    expect(sink.values).toEqual([1]);
    expect(warnings).toEqual(['cannot read the last values, retrying']);
  });
});
