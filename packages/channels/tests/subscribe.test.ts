import { setSecret, sign } from '@esdb-gater/security';
import { attach, detach } from '@esdb-gater/telemetry';
import {
  type ChannelName,
  type Channels,
  GaterError,
  type JsonValue,
  type SubscribeFrom,
} from '@esdb-gater/types';
import { afterEach, describe, expect, it } from 'vitest';
import {
  type ChannelsComponents,
  type ChannelsOptions,
  createChannels,
  createMemoryBroker,
} from '../src/index.ts';
import { nextTurn, TestClock, TestSink, until } from './support.ts';

const open: Channels[] = [];

function opened(options: ChannelsOptions = {}, components: ChannelsComponents = {}) {
  const clock = new TestClock();
  const channels = createChannels({ clock, ...components }, options);
  open.push(channels);
  const connect = (bounds: { queueBytes?: number; queueMessages?: number } = {}) => {
    const sink = new TestSink();
    const subscriber = channels.connect({ sink, ...bounds });
    return {
      sink,
      subscriber,
      subscribe: (channel: ChannelName, topic: string, from?: SubscribeFrom) =>
        subscriber.subscribe({ channel, topic, ...(from === undefined ? {} : { from }) }),
    };
  };
  const publish = async (channel: ChannelName, topic: string, message: JsonValue): Promise<string> => {
    const { position } = await channels.publish({ channel, topic, message });
    return position ?? '';
  };
  return { clock, channels, connect, publish };
}

afterEach(async () => {
  setSecret(undefined);
  for (const channels of open.splice(0)) await channels.close();
});

describe('a live subscription', () => {
  it('gets what is published from now on, with everything that a message has', async () => {
    const { connect, publish } = opened();
    const { sink, subscribe } = connect();
    await publish('system', 'a.b', 'before');
    const { position } = await subscribe('system', 'a.*');
    const next = await publish('system', 'a.b', { n: 1 });
    await nextTurn();
    expect(position).not.toBe(next);
    expect(sink.notices).toEqual([
      {
        method: 'message',
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

  it('gives a message once per connection, however many subscriptions match', async () => {
    const { connect, publish } = opened();
    const { sink, subscribe } = connect();
    for (const topic of ['a.b', 'a.*', '>', '*.b']) await subscribe('system', topic);
    await publish('system', 'a.b', 1);
    await nextTurn();
    expect(sink.values).toEqual([1]);
  });

  it('Never again: `events` subscribers receiving what was published on `metrics`', async () => {
    const { connect, publish } = opened();
    const { sink, subscribe } = connect();
    await subscribe('events', '>');
    await publish('metrics', 'a.b', 'metrics');
    await publish('events', 'a.b', 'events');
    await nextTurn();
    expect(sink.messages.map(({ channel, message }) => [channel, message])).toEqual([['events', 'events']]);
  });

  it('ends with unsubscribe, and another one of the connection stays', async () => {
    const { connect, publish } = opened();
    const { sink, subscriber, subscribe } = connect();
    await subscribe('system', 'a');
    await subscribe('system', 'b');
    expect(subscriber.unsubscribe({ channel: 'system', topic: 'a' })).toEqual({ removed: true });
    await publish('system', 'a', 1);
    await publish('system', 'b', 2);
    await nextTurn();
    expect(sink.values).toEqual([2]);
  });

  it('Never again: an unknown topic in `unsubscribe` crashing a channel', async () => {
    const { connect, publish } = opened();
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

  it('takes the place of the same one from before', async () => {
    const { connect, publish, channels } = opened();
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

  it('is refused with a wrong topic, channel, position or time', async () => {
    const { connect } = opened();
    const { subscribe } = connect();
    await expect(subscribe('system', 'a.b*')).rejects.toMatchObject({
      code: 'invalid_argument',
      reason: 'topic',
    });
    await expect(subscribe('nope' as ChannelName, 'a')).rejects.toMatchObject({ code: 'unknown_channel' });
    await expect(subscribe('system', 'a', { position: 'x' })).rejects.toMatchObject({
      reason: 'position_malformed',
    });
    for (const from of [{ time: 'yesterday' }, { time: '2026-13-01T00:00:00Z' }, {}, 'first', null, 1]) {
      await expect(subscribe('system', 'a', from as SubscribeFrom)).rejects.toMatchObject({ reason: 'from' });
    }
  });

  it('takes names of the prototype for topics', async () => {
    const { connect, publish } = opened();
    const { sink, subscribe } = connect();
    for (const topic of ['__proto__', 'constructor.prototype', 'toString']) {
      await subscribe('system', topic);
      await publish('system', topic, topic);
    }
    await nextTurn();
    expect(sink.values).toEqual(['__proto__', 'constructor.prototype', 'toString']);
  });

  it('stands in bounded numbers', async () => {
    const { connect } = opened({ subscriptionsPerSubscriber: 2 });
    const { subscribe } = connect();
    await subscribe('system', 'a');
    await subscribe('system', 'b');
    await expect(subscribe('system', 'c')).rejects.toMatchObject({ reason: 'too_many_subscriptions' });
    await subscribe('system', 'a');
  });

  it('ends with its connection, and later calls are refused', async () => {
    const { connect, publish, channels } = opened();
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

  it('is not made any more when the connection ends while it is being made', async () => {
    const { connect, publish } = opened();
    const { sink, subscriber, subscribe } = connect();
    const subscribing = subscribe('system', 'a', 'earliest');
    subscriber.close();
    await expect(subscribing).rejects.toMatchObject({ code: 'unavailable' });
    await publish('system', 'a', 1);
    await nextTurn();
    expect(sink.writes).toEqual([]);
  });

  it('is not made any more when it was unsubscribed while it was being made', async () => {
    const { connect, publish } = opened();
    const { sink, subscriber, subscribe } = connect();
    const subscribing = subscribe('system', 'a');
    expect(subscriber.unsubscribe({ channel: 'system', topic: 'a' })).toEqual({ removed: true });
    await subscribing;
    await publish('system', 'a', 1);
    await nextTurn();
    expect(sink.writes).toEqual([]);
  });

  it('is given up when its call is aborted', async () => {
    const { connect } = opened();
    const { subscriber } = connect();
    const params = { channel: 'system', topic: 'a' } as const;
    const call = subscriber.subscribe(params, { signal: AbortSignal.abort() });
    await expect(call).rejects.toMatchObject({ code: 'timeout' });
  });
});

describe('a replay', () => {
  it('gives what is held, marked with the subscription, then `replayed`, then goes on live', async () => {
    const { connect, publish } = opened();
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

  it('comes after the answer to `subscribe`', async () => {
    const { connect, publish } = opened();
    await publish('events', 'a', 1);
    const { sink, subscribe } = connect();
    await subscribe('events', 'a', 'earliest');
    for (let n = 0; n < 20; n++) await Promise.resolve();
    expect(sink.writes).toEqual([]);
    await until(() => sink.notices.length === 2);
  });

  it('resumes after a position without loss or double', async () => {
    const { connect, publish } = opened();
    const positions: string[] = [];
    for (let n = 0; n < 10; n++) positions.push(await publish('system', 'a', n));
    const { sink, subscribe } = connect();
    const { position, lost } = await subscribe('system', 'a', { position: positions[3] ?? '' });
    expect([position, lost]).toEqual([positions[3], undefined]);
    await until(() => sink.messages.length === 6);
    expect(sink.values).toEqual([4, 5, 6, 7, 8, 9]);
  });

  it('begins at a time, inclusive', async () => {
    const { connect, publish, clock } = opened();
    for (let n = 0; n < 5; n++) {
      await publish('system', 'a', n);
      clock.advance(1_000);
    }
    const { sink, subscribe } = connect();
    await subscribe('system', 'a', { time: '2023-11-14T23:13:22+01:00' });
    await until(() => sink.notices.some(({ method }) => method === 'replayed'));
    expect(sink.values).toEqual([2, 3, 4]);
  });

  it('says that a position is lost that is older than the history', async () => {
    const { connect, publish } = opened({ channels: { system: { history: 5 } } });
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

  it('leaves an earlier subscription in place when it is refused', async () => {
    const { connect, publish } = opened();
    const { sink, subscribe } = connect();
    await subscribe('system', 'a');
    await expect(subscribe('system', 'a', { position: 'x' })).rejects.toThrow();
    await publish('system', 'a', 1);
    await nextTurn();
    expect(sink.values).toEqual([1]);
  });

  it('gives a message that matches a live subscription too both ways: once live, once in the replay', async () => {
    const { connect, publish } = opened();
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

  it('gives what is published meanwhile in the replay, when only replaying subscriptions match', async () => {
    const { connect, publish } = opened();
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

  it('ends with unsubscribe, without `replayed`', async () => {
    const { connect, publish } = opened();
    for (let n = 0; n < 1_000; n++) await publish('system', 'a', n);
    const { sink, subscriber, subscribe } = connect();
    await subscribe('system', 'a', 'earliest');
    await until(() => sink.messages.length > 0);
    expect(subscriber.unsubscribe({ channel: 'system', topic: 'a' })).toEqual({ removed: true });
    for (let n = 0; n < 10; n++) await nextTurn();
    expect(sink.messages.length).toBeLessThan(1_000);
    expect(sink.notices.every(({ method }) => method === 'message')).toBe(true);
  });

  it('never fills the queue: it waits for a connection that is slow', async () => {
    const { connect, publish } = opened();
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

  it('ends the connection as too slow when the history leaves it behind', async () => {
    const { connect, publish } = opened({ channels: { system: { history: 100 } } });
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

  it('is tried again when the broker cannot be read', async () => {
    const broker = createMemoryBroker();
    let failures = 2;
    const { connect, publish, clock } = opened(
      {},
      {
        broker: {
          ...bound(broker),
          async *read(...args) {
            for await (const batch of broker.read(...args)) {
              const half = batch.slice(0, 2);
              yield half;
              if (failures-- > 0) throw new GaterError('unavailable', 'away');
              yield batch.slice(2);
            }
          },
        },
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

/** A broker's methods as members, so that some can be replaced. */
function bound(broker: ReturnType<typeof createMemoryBroker>) {
  return {
    append: broker.append.bind(broker),
    tail: broker.tail.bind(broker),
    position: broker.position.bind(broker),
    resolve: broker.resolve.bind(broker),
    read: broker.read.bind(broker),
    caughtUp: broker.caughtUp.bind(broker),
    tailPosition: broker.tailPosition.bind(broker),
    health: broker.health.bind(broker),
    close: broker.close.bind(broker),
  };
}

describe('the channel `health`', () => {
  it('gives a new subscription the last message of each topic that matches, as its replay', async () => {
    const { connect, publish } = opened();
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

  it('keeps so many topics, and lets go of the one unheard longest', async () => {
    const { connect, publish } = opened({ lastValueTopics: 2 });
    for (const topic of ['a', 'b', 'a', 'c']) await publish('health', topic, topic);
    const { sink, subscribe } = connect();
    await subscribe('health', '>');
    await until(() => sink.notices.some(({ method }) => method === 'replayed'));
    expect(sink.values).toEqual(['a', 'c']);
  });

  it('replays the history when that is asked for', async () => {
    const { connect, publish } = opened();
    for (const n of [1, 2, 3]) await publish('health', 'a', n);
    const { sink, subscribe } = connect();
    await subscribe('health', 'a', 'earliest');
    await until(() => sink.notices.some(({ method }) => method === 'replayed'));
    expect(sink.values).toEqual([1, 2, 3]);
  });

  it('knows from the beginning what a broker keeps', async () => {
    const broker = createMemoryBroker();
    for (const n of [1, 2]) {
      await broker.append('health', { id: `${n}`, topic: 'a', message: n, time: '', type: '', source: '' });
    }
    const { connect } = opened({}, { broker });
    const { sink, subscribe } = connect();
    await subscribe('health', 'a');
    await until(() => sink.notices.some(({ method }) => method === 'replayed'));
    expect(sink.values).toEqual([2]);
  });

  it('does not wait for ever for a broker that is away', async () => {
    const broker = createMemoryBroker();
    const { connect, clock } = opened(
      {},
      { broker: { ...bound(broker), resolve: () => new Promise(() => {}) } },
    );
    const { subscribe } = connect();
    const subscribing = subscribe('health', 'a');
    await nextTurn();
    clock.advance(2_000);
    await subscribing;
  });
});

describe('many connections', () => {
  it('a subscriber that stops reading costs bounded memory and slows nobody else (T11, F12)', async () => {
    const { connect, publish } = opened();
    const slow = connect({ queueBytes: 100_000 });
    const others = Array.from({ length: 10 }, () => connect());
    slow.sink.stalled = true;
    for (const one of [slow, ...others]) await one.subscribe('system', '>');
    let position = '';
    for (let n = 0; n < 500; n++) {
      const next = await publish('system', 'a', [n, 'x'.repeat(1_000)]);
      await nextTurn();
      if (slow.sink.messages.length === n + 1) position = next;
      expect(slow.sink.buffered).toBeLessThan(102_000);
    }
    expect(slow.sink.overflows).toBe(1);
    for (const { sink } of others) expect(sink.messages).toHaveLength(500);
    const again = connect();
    await again.subscribe('system', '>', { position });
    await until(() => slow.sink.messages.length + again.sink.messages.length === 500);
  });

  it('Never again: a dying subscriber that blocks a channel for seconds', async () => {
    const { connect, publish } = opened();
    const dying = connect();
    const other = connect();
    dying.sink.onWrite = () => {
      throw new Error('the socket is gone');
    };
    for (const one of [dying, other]) await one.subscribe('system', 'a');
    for (let n = 0; n < 3; n++) await publish('system', 'a', n);
    await nextTurn();
    expect(other.sink.values).toEqual([0, 1, 2]);
    expect(dying.sink.writes).toHaveLength(1);
  });

  it('get the same batch, encoded once', async () => {
    const { connect, publish, channels } = opened();
    const first = connect();
    const second = new TestSink(first.sink.encoder);
    await channels.connect({ sink: second }).subscribe({ channel: 'system', topic: 'a' });
    await first.subscribe('system', '*');
    for (let n = 0; n < 5; n++) void publish('system', 'a', n);
    await nextTurn();
    expect(first.sink.writes[0]).toHaveLength(5);
    expect(second.writes[0]).toBe(first.sink.writes[0]);
  });

  it('shed low priority first while the process is behind (F20)', async () => {
    let behind = true;
    const { connect, publish, clock } = opened({}, { overloaded: () => behind });
    const { sink, subscribe } = connect();
    await subscribe('logging', 'a');
    await subscribe('system', 'a');
    for (let n = 0; n < 3; n++) {
      await publish('logging', 'a', n);
      await publish('system', 'a', n);
    }
    behind = false;
    const position = await publish('logging', 'a', 3);
    await nextTurn();
    clock.advance(5);
    expect(sink.messages.map(({ channel, message }) => [channel, message])).toEqual([
      ['system', 0],
      ['system', 1],
      ['system', 2],
      ['logging', 3],
    ]);
    expect(sink.notices[3]).toMatchObject({ method: 'dropped', params: { channel: 'logging', count: 3 } });
    expect(position).toBe(sink.messages[3]?.position);
  });
});

describe('channelInfo', () => {
  it('tells of the ten channels what the table says', () => {
    const { channels } = opened();
    expect(
      channels
        .channelInfo()
        .map((info) => [
          info.name,
          info.priority,
          info.maxRate,
          info.requireSignature,
          info.history,
          info.enabled,
        ]),
    ).toEqual([
      ['alerts', 'critical', undefined, true, 100, true],
      ['security', 'critical', undefined, true, 1_000, true],
      ['events', 'high', undefined, false, 1_000, true],
      ['health', 'high', 100, false, 1_000, true],
      ['system', 'normal', undefined, false, 1_000, true],
      ['metrics', 'normal', 10_000, false, 1_000, true],
      ['audit', 'normal', undefined, false, 1_000, true],
      ['lifecycle', 'normal', undefined, false, 500, true],
      ['logging', 'low', 1_000, false, 1_000, true],
      ['diagnostics', 'low', 100, false, 1_000, false],
    ]);
  });

  it('has no `maxRate` where there is none, rather than null', () => {
    const { channels } = opened();
    expect(Object.keys(channels.channelInfo()[0] ?? {})).not.toContain('maxRate');
  });

  it('counts subscribers, not subscriptions, and rates of the last second', async () => {
    const { connect, publish, channels, clock } = opened();
    const one = connect();
    await one.subscribe('system', 'a');
    await one.subscribe('system', '*');
    await connect().subscribe('system', 'a', 'earliest');
    await nextTurn();
    for (let n = 0; n < 5; n++) await publish('system', 'a', n);
    const info = () => channels.channelInfo().find(({ name }) => name === 'system');
    expect(info()).toMatchObject({
      subscribers: 2,
      publishedPerSecond: 5,
      deliveredPerSecond: 10,
      dropped: 0,
    });
    clock.advance(1_000);
    expect(info()).toMatchObject({ publishedPerSecond: 0, deliveredPerSecond: 0 });
  });

  it('counts what was dropped', async () => {
    const { connect, publish, channels } = opened();
    const { sink, subscribe } = connect({ queueMessages: 2 });
    sink.buffered = 100_000;
    await subscribe('logging', 'a');
    for (let n = 0; n < 5; n++) await publish('logging', 'a', n);
    expect(channels.channelInfo().find(({ name }) => name === 'logging')?.dropped).toBe(3);
  });
});

describe('the telemetry of a channel', () => {
  it('tells of each broadcast how many connections got it', async () => {
    const seen: unknown[] = [];
    attach('channels-test', (event, measurements, metadata) => seen.push([event, measurements, metadata]));
    try {
      const { connect, publish } = opened();
      await connect().subscribe('system', 'a');
      await connect().subscribe('system', '*');
      await publish('system', 'a', 1);
      await publish('system', 'a.b', 1);
    } finally {
      detach('channels-test');
    }
    expect(seen).toEqual([
      ['esdb_gater.channel.broadcast', { recipient_count: 2 }, { channel: 'system', topic: 'a' }],
      ['esdb_gater.channel.broadcast', { recipient_count: 0 }, { channel: 'system', topic: 'a.b' }],
    ]);
  });
});

describe('records that come from outside', () => {
  it('reach subscribers of a channel that requires signatures only when these verify', async () => {
    setSecret('a secret');
    const broker = createMemoryBroker();
    const { connect, clock } = opened({ verifyIncoming: true }, { broker });
    const now = new Date(clock.now());
    const time = now.toISOString();
    const record = (topic: string, message: unknown, at = time) => ({
      id: String(Math.random()),
      topic,
      message: message as JsonValue,
      time: at,
      type: '',
      source: '',
    });
    const good = sign({ n: 1 }, { channel: 'alerts', topic: 'a', now });
    const replayed = connect();
    const live = connect();
    await live.subscribe('alerts', '>');
    await broker.append('alerts', record('a', good));
    await broker.append('alerts', record('a', good));
    await broker.append('alerts', record('b', good));
    await broker.append('alerts', record('a', { n: 1 }));
    await broker.append('alerts', record('a', good, new Date(clock.now() + 400_000).toISOString()));
    await broker.append('system', record('a', { n: 1 }));
    await replayed.subscribe('alerts', '>', 'earliest');
    await until(() => replayed.sink.notices.some(({ method }) => method === 'replayed'));
    // Twice, as nonces are not asked again.
    for (const { sink } of [live, replayed]) expect(sink.values).toEqual([good, good]);
  });
});
