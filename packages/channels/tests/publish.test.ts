import { createFakeClock, type FakeClock } from '@esdb-gater/primitives/testing';
import { setSecret, sign } from '@esdb-gater/security';
import {
  type Broker,
  type ChannelName,
  type Channels,
  GaterError,
  type JsonValue,
  type OutgoingRecord,
  type PublishContext,
} from '@esdb-gater/types';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  type ChannelsComponents,
  type ChannelsOptions,
  createChannels,
  createMemoryBroker,
} from '../src/index.ts';

interface Opened {
  readonly clock: FakeClock;
  readonly channels: Channels;
  /** The records that the broker received. */
  readonly appended: OutgoingRecord[];
  /** Replaces the next appends. */
  readonly outcomes: (() => Promise<{ readonly position?: string }>)[];
  readonly publish: (channel: ChannelName, message: JsonValue, rest?: Rest) => Promise<Outcome>;
}

interface Rest extends PublishContext {
  readonly topic?: string;
  readonly id?: string;
}

/** The result of a publish, or the data of its error. */
type Outcome = Readonly<Record<string, unknown>>;

const open: Channels[] = [];

function opened(options: ChannelsOptions = {}, components: ChannelsComponents = {}): Opened {
  const clock = createFakeClock(Date.UTC(2023, 10, 14, 22, 13, 20));
  const memory = createMemoryBroker({ clock });
  const appended: OutgoingRecord[] = [];
  const outcomes: (() => Promise<{ readonly position?: string }>)[] = [];
  const broker: Broker = Object.assign(Object.create(memory) as Broker, {
    tail: memory.tail.bind(memory),
    resolve: memory.resolve.bind(memory),
    position: memory.position.bind(memory),
    tailPosition: memory.tailPosition.bind(memory),
    read: memory.read.bind(memory),
    async append(channel: ChannelName, record: OutgoingRecord) {
      appended.push(record);
      const outcome = outcomes.shift();
      return outcome === undefined ? memory.append(channel, record) : outcome();
    },
  });
  const channels = createChannels({ broker, clock, ...components }, options);
  open.push(channels);
  return {
    clock,
    channels,
    appended,
    outcomes,
    publish: async (channel, message, { topic = 'a.b', id, ...context } = {}) => {
      try {
        const params = { channel, topic, message, ...(id === undefined ? {} : { id }) };
        return { ...(await channels.publish(params, context)) };
      } catch (error) {
        if (!GaterError.is(error)) throw error;
        return { ...error.toData() };
      }
    },
  };
}

const signed = (clock: FakeClock, message: object, channel = 'alerts', topic = 'a.b'): JsonValue =>
  sign(message, { channel, topic, now: new Date(clock.now()) }) as unknown as JsonValue;

beforeEach(() => setSecret('a secret that is long enough for a test'));
afterEach(async () => {
  setSecret(undefined);
  for (const channels of open.splice(0)) await channels.close();
});

describe('publish', () => {
  test('answers with the id, the position and that the broker has it', async () => {
    const { publish, appended } = opened();
    const outcome = await publish('system', { n: 1 });
    expect(outcome).toEqual({ id: expect.any(String), position: expect.any(String), delivered: true });
    expect(appended).toEqual([
      {
        id: outcome['id'],
        topic: 'a.b',
        message: { n: 1 },
        time: '2023-11-14T22:13:20.000Z',
        type: 'esdb_gater.message',
        source: 'esdb://default/channel/system',
      },
    ]);
  });

  test('creates a UUIDv7 for a message without an id, in increasing order', async () => {
    const { publish, clock } = opened();
    const ids: string[] = [];
    for (let n = 0; n < 20; n++) {
      ids.push(String((await publish('system', n))['id']));
      clock.advance(1);
    }
    for (const id of ids)
      expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(ids.toSorted()).toEqual(ids);
  });

  test('stamps each message with the time of its publish, in whole milliseconds', async () => {
    const { publish, appended, clock } = opened();
    for (const ms of [0, 0.4, 0.6, 1_000]) {
      clock.advance(ms);
      await publish('system', 1);
    }
    expect(appended.map(({ time }) => time)).toEqual([
      '2023-11-14T22:13:20.000Z',
      '2023-11-14T22:13:20.000Z',
      '2023-11-14T22:13:20.001Z',
      '2023-11-14T22:13:21.001Z',
    ]);
    expect(appended[0]).not.toHaveProperty('traceparent');
  });

  test('answers without a position when the broker gives none', async () => {
    const { publish, outcomes } = opened();
    outcomes.push(() => Promise.resolve({}));
    expect(await publish('system', 1)).toEqual({ id: expect.any(String), delivered: true });
  });

  test('passes the trace context on', async () => {
    const { publish, appended } = opened();
    await publish('system', 1, { traceparent: '00-x', tracestate: 'y' });
    expect(appended[0]).toMatchObject({ traceparent: '00-x', tracestate: 'y' });
  });

  test('refuses an unknown channel, and names of the prototype', async () => {
    const { publish } = opened();
    for (const name of ['x', '__proto__', 'constructor', '', 'esdb_channel_events', 1, null]) {
      expect(await publish(name as ChannelName, 1)).toMatchObject({ code: 'unknown_channel' });
    }
  });

  test('refuses a topic with wildcards, a long message, an odd id', async () => {
    const { publish, appended } = opened();
    expect(await publish('system', 1, { topic: 'a.*' })).toMatchObject({
      code: 'invalid_argument',
      reason: 'topic',
    });
    expect(await publish('system', 'x'.repeat(1_048_576))).toMatchObject({ code: 'payload_too_large' });
    for (const id of ['', 'a\nb', 'x'.repeat(256)]) {
      expect(await publish('system', 1, { id })).toMatchObject({ code: 'invalid_argument', reason: 'id' });
    }
    expect(appended).toEqual([]);
  });

  test('checks messages on a disabled channel, and does not deliver them', async () => {
    const { publish, appended } = opened();
    const topic = 'a.*';
    expect(await publish('diagnostics', 1, { topic })).toMatchObject({ reason: 'topic' });
    for (let n = 0; n < 100; n++) {
      expect(await publish('diagnostics', n)).toEqual({ id: expect.any(String), delivered: false });
    }
    expect(await publish('diagnostics', 1)).toMatchObject({ code: 'rate_limited' });
    expect(appended).toEqual([]);
  });

  test('is refused with unavailable after the end', async () => {
    const { publish, channels } = opened();
    await channels.close();
    expect(await publish('system', 1)).toMatchObject({ code: 'unavailable' });
  });
});

describe('the rate limit of publish', () => {
  test('takes the limits of the table: health 100, metrics 10 000, logging 1 000, diagnostics 100', async () => {
    const { publish } = opened();
    for (const [channel, maxRate] of [
      ['health', 100],
      ['metrics', 10_000],
      ['logging', 1_000],
      ['diagnostics', 100],
    ] as const) {
      const outcomes = await Promise.all(Array.from({ length: maxRate + 1 }, (_, n) => publish(channel, n)));
      expect(outcomes.filter(({ code }) => code === 'rate_limited')).toEqual([
        expect.objectContaining({ retryAfterMs: expect.any(Number), retriable: true }),
      ]);
    }
  });

  test('passes again after `retryAfterMs`', async () => {
    const { publish, clock } = opened({ channels: { system: { maxRate: 1 } } });
    await publish('system', 1);
    const { retryAfterMs } = await publish('system', 2);
    clock.advance(Number(retryAfterMs));
    expect(await publish('system', 3)).toMatchObject({ delivered: true });
  });

  test('counts by publisher, and without one by process', async () => {
    const { publish } = opened({ channels: { system: { maxRate: 1 } } });
    expect(await publish('system', 1, { publisher: 'a' })).toMatchObject({ delivered: true });
    expect(await publish('system', 1, { publisher: 'b' })).toMatchObject({ delivered: true });
    expect(await publish('system', 1)).toMatchObject({ delivered: true });
    expect(await publish('system', 1, { publisher: 'a' })).toMatchObject({ code: 'rate_limited' });
    expect(await publish('system', 2)).toMatchObject({ code: 'rate_limited' });
  });

  test('does not use the rate limit when an earlier check refuses, and releases it when a later one does', async () => {
    const { publish, outcomes } = opened({ channels: { system: { maxRate: 1 }, alerts: { maxRate: 1 } } });
    await publish('system', 1, { topic: 'a..b' });
    outcomes.push(() => Promise.reject(new GaterError('overloaded', 'full')));
    expect(await publish('system', 1)).toMatchObject({ code: 'overloaded' });
    outcomes.push(() => Promise.reject(new GaterError('unavailable', 'away')));
    expect(await publish('system', 1)).toMatchObject({ code: 'unavailable' });
    expect(await publish('system', 1)).toMatchObject({ delivered: true });
    expect(await publish('system', 2)).toMatchObject({ code: 'rate_limited' });
    expect(await publish('alerts', { unsigned: true })).toMatchObject({ code: 'signature_required' });
    expect(await publish('alerts', { unsigned: true })).toMatchObject({ code: 'signature_required' });
  });

  test('keeps the rate slot after a timeout', async () => {
    const { publish, outcomes } = opened({ channels: { system: { maxRate: 1 } } });
    outcomes.push(() => Promise.reject(new GaterError('timeout', 'late')));
    expect(await publish('system', 1)).toMatchObject({ code: 'timeout' });
    expect(await publish('system', 2)).toMatchObject({ code: 'rate_limited' });
  });
});

describe('the signature of a published message', () => {
  test('is required on alerts and security', async () => {
    const { publish, clock } = opened();
    for (const channel of ['alerts', 'security'] as const) {
      expect(await publish(channel, { a: 1 })).toMatchObject({ code: 'signature_required' });
      expect(await publish(channel, signed(clock, { a: 1 }, channel))).toMatchObject({ delivered: true });
    }
  });

  test('must be bound to channel and topic', async () => {
    const { publish, clock } = opened();
    const message = signed(clock, { a: 1 }, 'alerts', 'other.topic');
    expect(await publish('alerts', message)).toMatchObject({ code: 'invalid_signature', reason: 'mismatch' });
    const unbound = sign({ a: 1 }, { now: new Date(clock.now()) }) as unknown as JsonValue;
    expect(await publish('alerts', unbound)).toMatchObject({ code: 'invalid_signature', reason: 'unbound' });
  });

  test('Never again: replay on another topic', async () => {
    const { publish, clock } = opened();
    const message = signed(clock, { a: 1 });
    expect(await publish('alerts', message)).toMatchObject({ delivered: true });
    expect(await publish('alerts', message, { topic: 'a.c' })).toMatchObject({ code: 'invalid_signature' });
    expect(await publish('security', message)).toMatchObject({ code: 'invalid_signature' });
  });

  test('is accepted once: its nonce is used up', async () => {
    const { publish, clock } = opened();
    const message = signed(clock, { a: 1 });
    await publish('alerts', message);
    clock.advance(100_000);
    expect(await publish('alerts', message)).toMatchObject({ code: 'invalid_signature', reason: 'replayed' });
  });

  test('releases its nonce when the broker refuses, and keeps it used after a timeout', async () => {
    const { publish, clock, outcomes } = opened();
    const message = signed(clock, { a: 1 });
    outcomes.push(() => Promise.reject(new GaterError('overloaded', 'full')));
    expect(await publish('alerts', message)).toMatchObject({ code: 'overloaded' });
    outcomes.push(() => Promise.reject(new GaterError('timeout', 'late')));
    expect(await publish('alerts', message)).toMatchObject({ code: 'timeout' });
    expect(await publish('alerts', message)).toMatchObject({ reason: 'replayed' });
  });

  test('does not use the nonce of a message that the rate limit refuses', async () => {
    const { publish, clock } = opened({ channels: { alerts: { maxRate: 1 } } });
    await publish('alerts', signed(clock, { a: 1 }));
    const second = signed(clock, { a: 2 });
    expect(await publish('alerts', second)).toMatchObject({ code: 'rate_limited' });
    clock.advance(1_010);
    expect(await publish('alerts', second)).toMatchObject({ delivered: true });
  });

  test('expires', async () => {
    const { publish, clock } = opened();
    const message = signed(clock, { a: 1 });
    clock.advance(301_000);
    expect(await publish('alerts', message)).toMatchObject({ code: 'invalid_signature', reason: 'expired' });
  });

  test('is verified also where none is required', async () => {
    const { publish, clock } = opened();
    const good = signed(clock, { a: 1 }, 'system');
    expect(await publish('system', { ...(good as object), a: 2 })).toMatchObject({
      code: 'invalid_signature',
    });
    expect(await publish('system', good)).toMatchObject({ delivered: true });
    expect(await publish('system', { nonce: 'mine', signature: 'of the contract' })).toMatchObject({
      delivered: true,
    });
  });

  test('is not looked for in values that are not objects, nor where one of its members is missing', async () => {
    const { publish, clock } = opened();
    const members = Object.entries(signed(clock, { a: 1 }, 'alerts') as object);
    for (const name of ['signed_at', 'nonce', 'key_id', 'signature']) {
      const rest = Object.fromEntries(members.filter(([member]) => member !== name));
      expect(Object.keys(rest)).toHaveLength(members.length - 1);
      expect(await publish('system', rest)).toMatchObject({ delivered: true });
    }
    for (const value of [1, null, [], 'text', true]) {
      expect(await publish('system', value)).toMatchObject({ delivered: true });
      expect(await publish('alerts', value)).toMatchObject({ code: 'signature_required' });
    }
  });

  test('Never again: a wrongly typed signature crashing a channel', async () => {
    const { publish, clock } = opened();
    for (const odd of [1, null, {}, [], true, '']) {
      const message = { ...(signed(clock, { a: 1 }) as object), signature: odd } as JsonValue;
      expect(await publish('alerts', message)).toMatchObject({
        code: 'invalid_signature',
        reason: 'malformed',
      });
    }
    for (const odd of [1, null, [], 'text']) expect(await publish('alerts', odd)).toHaveProperty('code');
    expect(await publish('alerts', signed(clock, { a: 1 }))).toMatchObject({ delivered: true });
  });

  test('Never again: security settings that depend on load order', async () => {
    setSecret(undefined);
    const { publish, clock } = opened();
    setSecret('set after the channels were created');
    expect(await publish('alerts', signed(clock, { a: 1 }))).toMatchObject({ delivered: true });
    expect(await publish('alerts', { a: 1 })).toMatchObject({ code: 'signature_required' });
  });
});

describe('the same id again', () => {
  const id = '01890000-0000-7000-8000-000000000001';

  test('is answered as before, and published once', async () => {
    const { publish, appended } = opened();
    const first = await publish('system', { a: 1, b: 2 }, { id });
    expect(await publish('system', { b: 2, a: 1 }, { id })).toEqual(first);
    expect(appended).toHaveLength(1);
  });

  test('uses neither the rate limit nor a nonce', async () => {
    const { publish, clock } = opened({ channels: { alerts: { maxRate: 1 } } });
    const message = signed(clock, { a: 1 });
    const first = await publish('alerts', message, { id });
    expect(await publish('alerts', message, { id })).toEqual(first);
  });

  test('waits for the publish in flight', async () => {
    const { publish, appended, outcomes } = opened();
    const { promise, resolve } = Promise.withResolvers<{ readonly position?: string }>();
    outcomes.push(() => promise);
    const all = [1, 2, 3].map(() => publish('system', 1, { id }));
    resolve({ position: 'p' });
    expect(await Promise.all(all)).toEqual(all.map(() => ({ id, position: 'p', delivered: true })));
    expect(appended).toHaveLength(1);
  });

  test('is a new message with another content, topic, channel or publisher', async () => {
    const { publish, appended } = opened();
    await publish('system', 1, { id });
    await publish('system', 2, { id });
    await publish('system', 1, { id, topic: 'a.c' });
    await publish('audit', 1, { id });
    await publish('system', 1, { id, publisher: 'other' });
    expect(appended).toHaveLength(5);
  });

  test('is recognised for five minutes', async () => {
    const { publish, appended, clock } = opened();
    await publish('system', 1, { id });
    clock.advance(300_000);
    await publish('system', 1, { id });
    expect(appended).toHaveLength(1);
    clock.advance(1);
    await publish('system', 1, { id });
    expect(appended).toHaveLength(2);
  });

  test('is sent again when the outcome of the first is unknown, with its rate slot and nonce', async () => {
    const { publish, appended, outcomes, clock } = opened({ channels: { alerts: { maxRate: 1 } } });
    const message = signed(clock, { a: 1 });
    outcomes.push(() => Promise.reject(new GaterError('timeout', 'late')));
    expect(await publish('alerts', message, { id })).toMatchObject({ code: 'timeout' });
    expect(await publish('alerts', message, { id })).toMatchObject({ delivered: true });
    expect(appended).toHaveLength(2);
  });

  test('is sent again by the caller that waited for a publish with an unknown outcome', async () => {
    const { publish, appended, outcomes } = opened();
    const { promise, reject } = Promise.withResolvers<{ readonly position?: string }>();
    outcomes.push(() => promise);
    const all = [1, 2, 3].map(() => publish('system', 1, { id }));
    reject(new GaterError('timeout', 'late'));
    const [first, ...others] = await Promise.all(all);
    expect(first).toMatchObject({ code: 'timeout' });
    expect(others).toEqual(others.map(() => ({ id, position: expect.any(String), delivered: true })));
    expect(appended).toHaveLength(2);
  });

  test('begins anew after a refusal', async () => {
    const { publish, outcomes } = opened();
    outcomes.push(() => Promise.reject(new GaterError('unavailable', 'away')));
    expect(await publish('system', 1, { id })).toMatchObject({ code: 'unavailable' });
    expect(await publish('system', 1, { id })).toMatchObject({ delivered: true });
  });

  test('fails with `timeout` when the caller stops waiting, whatever the broker answers', async () => {
    const { publish, outcomes } = opened();
    const abort = new AbortController();
    outcomes.push(async () => {
      abort.abort();
      throw new DOMException('stopped', 'AbortError');
    });
    expect(await publish('system', 1, { id, signal: abort.signal })).toMatchObject({ code: 'timeout' });
  });
});

describe('the options of the channels', () => {
  test('bound what is remembered of ids: their time, their number and their bytes', async () => {
    const published = async (options: ChannelsOptions, count: number, waitMs = 0): Promise<number> => {
      const { publish, appended, clock } = opened(options);
      for (let round = 0; round < 2; round++) {
        for (let n = 0; n < count; n++) await publish('system', 1, { id: `id-${n}` });
        clock.advance(waitMs);
      }
      return appended.length;
    };
    expect(await published({}, 20)).toBe(20);
    expect(await published({ idempotencyMs: 50 }, 20, 51)).toBe(40);
    expect(await published({ idempotencyMs: 50 }, 20, 50)).toBe(20);
    expect(await published({ idempotencyEntries: 2 }, 20)).toBe(40);
    expect(await published({ idempotencyEntries: 0 }, 20)).toBe(40);
    expect(await published({ idempotencyBytes: 1_000 }, 20)).toBe(40);
  });

  test('have bounds of at least 1, or 0 where that means none', () => {
    for (const name of ['messageBytes', 'historyBytes', 'lastValueTopics', 'subscriptionsPerSubscriber']) {
      expect(() => createChannels({}, { [name]: 0 })).toThrow(
        expect.objectContaining({ reason: 'channels_option', option: name }),
      );
      opened({ [name]: 1 });
    }
    for (const name of ['idempotencyMs', 'idempotencyEntries', 'idempotencyBytes']) {
      expect(() => createChannels({}, { [name]: -1 })).toThrow(
        expect.objectContaining({ reason: 'channels_option', option: name }),
      );
      opened({ [name]: 0 });
    }
    opened({ channels: { system: { history: 0, maxRate: 1 } } });
  });

  test('name the realm in the source of messages', async () => {
    const { publish, appended } = opened({ realm: 'plant' });
    await publish('audit', 1);
    expect(appended[0]?.source).toBe('esdb://plant/channel/audit');
  });

  test('are refused by name when they are wrong', () => {
    for (const [options, name] of [
      [{ channels: { nope: {} } }, 'channels.nope'],
      [{ channels: { system: { maxRate: 0 } } }, 'channels.system.maxRate'],
      [{ channels: { system: { priority: 'urgent' } } }, 'channels.system.priority'],
      [{ channels: { system: { history: -1 } } }, 'channels.system.history'],
      [{ messageBytes: 0 }, 'messageBytes'],
    ] as const) {
      expect(() => createChannels({}, options as ChannelsOptions)).toThrow(
        expect.objectContaining({ code: 'invalid_argument', reason: 'channels_option', option: name }),
      );
    }
  });

  test('take away a limit with null', async () => {
    const { publish } = opened({ channels: { health: { maxRate: null } } });
    const outcomes = await Promise.all(Array.from({ length: 200 }, (_, n) => publish('health', n)));
    expect(outcomes.every(({ delivered }) => delivered === true)).toBe(true);
  });
});
