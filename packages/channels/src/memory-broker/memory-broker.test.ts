import { brokerSuite, type OpenedBroker } from '@esdb-gater/conformance';
import { createFakeClock } from '@esdb-gater/primitives/testing';
import type { OutgoingRecord } from '@esdb-gater/types';
import { describe, expect, test } from 'vitest';
import { createMemoryBroker, type MemoryBrokerOptions } from './memory-broker.ts';

async function open(options: MemoryBrokerOptions = {}): Promise<OpenedBroker> {
  const broker = createMemoryBroker(options);
  return { broker, close: () => broker.close() };
}

const record = (topic: string, message: string): OutgoingRecord => ({
  id: message,
  topic,
  message,
  time: '2026-01-01T00:00:00.000Z',
  type: 't',
  source: 's',
});

describe('the in-process broker as any broker', () => {
  const cases = brokerSuite({
    name: 'memory',
    open,
    reopen: async (opened) => {
      await opened.close();
      return open();
    },
    alertsHistory: 100,
    patienceMs: 1_000,
  });
  for (const { title, run } of cases) test(title, run);
});

describe('the in-process broker', () => {
  test('hands a record over before `append` returns', () => {
    const broker = createMemoryBroker();
    const got: string[] = [];
    broker.tail('system', (batch) => got.push(...batch.map(({ id }) => id)));
    void broker.append('system', record('a', '1'));
    void broker.append('system', record('a', '2'));
    expect(got).toEqual(['1', '2']);
  });

  test('keeps 1 000 messages of a channel, of alerts 100, of lifecycle 500', async () => {
    const broker = createMemoryBroker();
    for (const [channel, kept] of [
      ['system', 1_000],
      ['alerts', 100],
      ['lifecycle', 500],
    ] as const) {
      for (let n = 0; n < 1_200; n++) await broker.append(channel, record('a', String(n)));
      const { position } = await broker.resolve(channel, 'earliest');
      let count = 0;
      const until = await broker.position(channel);
      for await (const batch of broker.read(channel, position, until)) count += batch.length;
      expect(count).toBe(kept);
    }
  });

  test('keeps no message when the history is 0, and still delivers', async () => {
    const broker = createMemoryBroker({ history: { system: 0 } });
    let handed = 0;
    broker.tail('system', (batch) => {
      handed += batch.length;
    });
    const before = await broker.position('system');
    await broker.append('system', record('a', '1'));
    expect(handed).toBe(1);
    await expect(broker.resolve('system', { position: before })).rejects.toMatchObject({
      reason: 'position_lost',
    });
    await expect(broker.resolve('system', 'earliest')).resolves.toEqual({
      position: await broker.position('system'),
    });
  });

  test('makes positions of unreserved characters only', async () => {
    const broker = createMemoryBroker();
    const { position = '' } = await broker.append('system', record('a', '1'));
    expect(position).toMatch(/^[A-Za-z0-9._~-]{5,40}$/);
  });

  test('sets `lost` for a time when messages since then have left the history', async () => {
    const broker = createMemoryBroker({ history: { system: 2 }, clock: createFakeClock(0) });
    const at = (ms: number): string => new Date(ms).toISOString();
    for (const ms of [1_000, 2_000, 3_000, 4_000]) {
      await broker.append('system', { ...record('a', String(ms)), time: at(ms) });
    }
    expect((await broker.resolve('system', { time: at(1_500) })).lost).toBe(true);
    expect((await broker.resolve('system', { time: at(2_500) })).lost).toBeUndefined();
  });

  test('sets `lost` for a time before its start', async () => {
    const broker = createMemoryBroker({ clock: createFakeClock(10_000) });
    expect((await broker.resolve('system', { time: '1970-01-01T00:00:05.000Z' })).lost).toBe(true);
    expect((await broker.resolve('system', { time: '1970-01-01T00:00:10.000Z' })).lost).toBeUndefined();
  });

  test('refuses a position after the newest one, which it cannot have created', async () => {
    const broker = createMemoryBroker();
    const position = `${await broker.position('system')}9`;
    await expect(broker.resolve('system', { position })).rejects.toMatchObject({
      reason: 'position_malformed',
    });
  });

  test('accepts a message even when its tail fails', async () => {
    const broker = createMemoryBroker();
    broker.tail('system', () => {
      throw new Error('mine');
    });
    await expect(broker.append('system', record('a', '1'))).resolves.toHaveProperty('position');
  });

  test('has one tail per channel', () => {
    const broker = createMemoryBroker();
    const stop = broker.tail('system', () => {});
    expect(() => broker.tail('system', () => {})).toThrow(/at most one tail/);
    stop();
    broker.tail('system', () => {});
  });

  test('a tail that was stopped late does not stop the next one', async () => {
    const broker = createMemoryBroker();
    const stop = broker.tail('system', () => {});
    stop();
    let got = 0;
    broker.tail('system', () => got++);
    stop();
    await broker.append('system', record('a', '1'));
    expect(got).toBe(1);
  });

  test('refuses to append after its end, and after the end of the call', async () => {
    const broker = createMemoryBroker();
    const append = (signal?: AbortSignal) =>
      broker.append('system', record('a', '1'), signal ? { signal } : {});
    await expect(append(AbortSignal.abort())).rejects.toMatchObject({ code: 'timeout' });
    await append(new AbortController().signal);
    expect(broker.health()).toEqual({ status: 'healthy' });
    let got = 0;
    broker.tail('system', () => got++);
    await broker.close();
    await expect(append()).rejects.toMatchObject({ code: 'unavailable' });
    expect([got, broker.health().status]).toEqual([0, 'unhealthy']);
    await broker.close();
  });

  test('refuses a channel that does not exist', async () => {
    const broker = createMemoryBroker();
    await expect(broker.append('nope' as 'system', record('a', '1'))).rejects.toMatchObject({
      code: 'unknown_channel',
    });
  });

  test('keeps the messages of a channel within its bytes', async () => {
    const broker = createMemoryBroker({ historyBytes: 30 });
    for (let n = 0; n < 10; n++) await broker.append('system', record('a', '12345678'));
    const { position } = await broker.resolve('system', 'earliest');
    const until = await broker.position('system');
    let count = 0;
    for await (const batch of broker.read('system', position, until)) count += batch.length;
    expect(count).toBe(3);
    expect(() => createMemoryBroker({ historyBytes: 0 })).toThrow(
      expect.objectContaining({ reason: 'broker_option' }),
    );
  });

  test('hands a record over with its trace', async () => {
    const broker = createMemoryBroker();
    const got: unknown[] = [];
    broker.tail('system', (batch) => got.push(...batch));
    await broker.append('system', { ...record('a', '1'), traceparent: '00-x', tracestate: 'a=1' });
    await broker.append('system', record('a', '2'));
    expect(got).toMatchObject([
      { id: '1', topic: 'a', message: '1', traceparent: '00-x', tracestate: 'a=1' },
      { id: '2' },
    ]);
    expect((got[1] as { traceparent?: string }).traceparent).toBeUndefined();
  });

  test('hands a message over with the JSON that its history keeps, and without any where it keeps none', async () => {
    const broker = createMemoryBroker({ history: { metrics: 0 } });
    const texts: unknown[] = [];
    for (const channel of ['system', 'metrics', 'events'] as const) {
      broker.tail(channel, (batch) => texts.push(...batch.map(({ messageText }) => messageText)));
      await broker.append(channel, { ...record('a', '1'), message: { b: [1, 'ж'] } });
    }
    expect(texts).toEqual(['{"b":[1,"ж"]}', undefined, '{"b":[1,"ж"]}']);
  });

  test('saves its run at the start, before the first answer on `events`, and at the end', async () => {
    const saved: (number | null)[] = [];
    const clock = createFakeClock(5_000.7);
    const gate = Promise.withResolvers<void>();
    const broker = createMemoryBroker({
      clock,
      epochs: {
        earlier: [],
        save: async ({ published, startedMs, epoch }) => {
          expect([startedMs, epoch.length > 4]).toEqual([5_000, true]);
          saved.push(published);
          if (published === null) await gate.promise;
        },
      },
    });
    await broker.append('system', record('a', '0'));
    expect(saved).toEqual([0]);
    let answers = 0;
    const appends = ['1', '2'].map((id) => broker.append('events', record('a', id)).then(() => answers++));
    await new Promise(setImmediate);
    expect([saved, answers]).toEqual([[0, null], 0]);
    gate.resolve();
    await Promise.all(appends);
    await broker.append('events', record('a', '3'));
    expect(saved).toEqual([0, null]);
    await broker.close();
    await broker.close();
    expect(saved).toEqual([0, null, 3]);
  });

  test('tries to save again with the next message when that fails, and accepts messages meanwhile', async () => {
    const saved: (number | null)[] = [];
    const broker = createMemoryBroker({
      epochs: {
        earlier: [],
        save: async ({ published }) => {
          saved.push(published);
          if (saved.length < 3) throw new Error('the disk is full');
        },
      },
    });
    for (let n = 0; n < 4; n++) {
      await expect(broker.append('events', record('a', String(n)))).resolves.toHaveProperty('position');
    }
    expect(saved).toEqual([0, null, null]);
  });

  test('refuses a history that is not a count', () => {
    expect(() => createMemoryBroker({ history: { system: -1 } })).toThrow(
      /`history.system` must be an integer of at least 0, got -1/,
    );
  });
});
