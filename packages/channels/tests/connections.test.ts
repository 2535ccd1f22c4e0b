import { setSecret, sign } from '@esdb-gater/security';
import { attach, detach } from '@esdb-gater/telemetry';
import type { JsonValue } from '@esdb-gater/types';
import { afterEach, describe, expect, test } from 'vitest';
import { createMemoryBroker } from '../src/index.ts';
import { openChannels } from './open-channels.ts';
import { type jsonEncoder, nextTurn, TestSink, until } from './support.ts';

afterEach(() => setSecret(undefined));

describe('many connections', () => {
  test('a subscriber that stops reading costs bounded memory and does not slow others (T11, F12)', async () => {
    const { connect, publish } = openChannels();
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

  test('Never again: a dying subscriber that blocks a channel for seconds', async () => {
    const { connect, publish } = openChannels();
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

  test('get the same batch, encoded once', async () => {
    const { connect, publish, channels } = openChannels();
    const first = connect();
    const second = new TestSink(first.sink.encoder);
    await channels.connect({ sink: second }).subscribe({ channel: 'system', topic: 'a' });
    await first.subscribe('system', '*');
    for (let n = 0; n < 5; n++) void publish('system', 'a', n);
    await nextTurn();
    expect(first.sink.writes[0]).toHaveLength(5);
    expect(second.writes[0]).toBe(first.sink.writes[0]);
    for (const { encoder } of [first.sink, second]) {
      for (const delivery of second.writes[0] ?? []) delivery.bytes(encoder);
      expect((encoder as ReturnType<typeof jsonEncoder>).encoded).toBe(5);
    }
  });

  test('shed low priority first while the process is behind (F20)', async () => {
    let behind = true;
    const { connect, publish, clock } = openChannels({}, { overloaded: () => behind });
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
  test('describes the ten channels as the table does', () => {
    const { channels } = openChannels();
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

  test('omits `maxRate` for an unlimited channel, instead of null', () => {
    const { channels } = openChannels();
    expect(Object.keys(channels.channelInfo()[0] ?? {})).not.toContain('maxRate');
  });

  test('counts subscribers, not subscriptions, and rates of the last second', async () => {
    const { connect, publish, channels, clock } = openChannels();
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

  test('counts dropped messages', async () => {
    const { connect, publish, channels } = openChannels();
    const { sink, subscribe } = connect({ queueMessages: 2 });
    sink.buffered = 100_000;
    await subscribe('logging', 'a');
    for (let n = 0; n < 5; n++) await publish('logging', 'a', n);
    expect(channels.channelInfo().find(({ name }) => name === 'logging')?.dropped).toBe(3);
  });
});

describe('the telemetry of a channel', () => {
  test('emits the number of connections of each broadcast', async () => {
    const seen: unknown[] = [];
    attach('channels-test', (event, measurements, metadata) => seen.push([event, measurements, metadata]));
    try {
      const { connect, publish } = openChannels();
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
  test('reach subscribers of a channel that requires signatures only when these verify', async () => {
    setSecret('a secret');
    const broker = createMemoryBroker();
    const { connect, clock } = openChannels({ verifyIncoming: true }, { broker });
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
