import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createMemoryBroker } from '@esdb-gater/channels';
import { brokerSuite, type OpenedBroker } from '@esdb-gater/conformance';
import { retryPolicy, withRetry } from '@esdb-gater/retry';
import {
  type Broker,
  type BrokerRecord,
  GaterError,
  type OutgoingRecord,
  silentLogger,
  systemClock,
} from '@esdb-gater/types';
import { afterEach, describe, expect, test } from 'vitest';
import { createBrokerHost } from './broker-host.ts';
import { type BrokerLinkOptions, createBrokerLink } from './broker-link.ts';
import type { LineTransport } from './line-transport.ts';
import { connectToLocalSocket, listenOnLocalSocket } from './local-sockets.ts';

const folder = mkdtempSync(join(tmpdir(), 'esdb-gater-test-'));
let sockets = 0;

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

/** A process with a broker, and the socket on which others reach it. */
class HostProcess {
  readonly path: string = join(folder, `${++sockets}.sock`);
  readonly accepted: LineTransport[] = [];
  #broker = createMemoryBroker();
  #close: () => Promise<void> = async () => undefined;
  host: Broker = this.#broker;

  async start(): Promise<this> {
    this.#broker = createMemoryBroker();
    const host = createBrokerHost({ broker: this.#broker, logger: silentLogger });
    this.host = host.broker;
    const server = await listenOnLocalSocket(this.path, (transport) => {
      this.accepted.push(transport);
      host.serve(transport);
    });
    this.#close = async () => {
      await host.broker.close();
      this.cut();
      await server.close();
    };
    return this;
  }

  cut(): void {
    for (const transport of this.accepted.splice(0)) transport.destroy();
  }

  async stop(): Promise<void> {
    const close = this.#close;
    this.#close = async () => undefined;
    await close();
  }
}

interface TestLink {
  readonly broker: Broker;
  readonly missed: { count: number };
}

function link(process: HostProcess, options: BrokerLinkOptions = {}): TestLink {
  const missed = { count: 0 };
  const broker = createBrokerLink(
    {
      connect: (signal) => connectToLocalSocket(process.path, signal),
      canMatch: () => true,
      onMissed: () => {
        missed.count += 1;
      },
      clock: systemClock,
      logger: silentLogger,
    },
    options,
  );
  cleanUps.push(() => broker.close());
  return { broker, missed };
}

async function started(): Promise<HostProcess> {
  const host = await new HostProcess().start();
  cleanUps.push(() => host.stop());
  return host;
}

const record = (id: string, rest: Partial<OutgoingRecord> = {}): OutgoingRecord => ({
  id,
  topic: 'a',
  message: id,
  time: '2026-01-01T00:00:00.000Z',
  type: 't',
  source: 's',
  ...rest,
});

/** Tails a channel from now on. */
async function collect(broker: Broker): Promise<BrokerRecord[]> {
  const records: BrokerRecord[] = [];
  broker.tail('system', (batch) => records.push(...batch));
  await broker.position('system');
  return records;
}

const ids = (records: readonly BrokerRecord[]): string[] => records.map(({ id }) => id);

describe('the broker of another process as any broker', () => {
  const opened = new Map<Broker, HostProcess>();

  async function open(): Promise<OpenedBroker> {
    const host = await new HostProcess().start();
    const { broker } = link(host);
    opened.set(broker, host);
    return {
      broker,
      async close() {
        await broker.close();
        await host.stop();
      },
    };
  }

  const cases = brokerSuite({
    name: 'link',
    open,
    reopen: async ({ broker }) => {
      const host = opened.get(broker);
      if (host === undefined) throw new TypeError('the broker is not one of this suite');
      await broker.close();
      await host.stop();
      await host.start();
      const { broker: again } = link(host);
      return {
        broker: again,
        async close() {
          await again.close();
          await host.stop();
        },
      };
    },
    alertsHistory: 100,
    patienceMs: 5_000,
  });
  for (const { title, run } of cases) test(title, run);
});

describe('the shared broker in the process that has it, as any broker', () => {
  async function open(): Promise<OpenedBroker> {
    const { broker } = createBrokerHost({ broker: createMemoryBroker(), logger: silentLogger });
    return { broker, close: () => broker.close() };
  }
  const cases = brokerSuite({
    name: 'host',
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

describe('a broker that several processes share', () => {
  test('hands every process each record once and in the same order, whoever appended it', async () => {
    const host = await started();
    const [one, two] = [link(host).broker, link(host).broker];
    const seen = await Promise.all([host.host, one, two].map((broker) => collect(broker)));
    const appended = Array.from({ length: 300 }, (_, n) =>
      [host.host, one, two][n % 3]?.append('system', record(String(n))),
    );
    await Promise.all(appended);
    await Promise.all([one.position('system'), two.position('system')]);
    const [atHost, atOne, atTwo] = seen.map(ids);
    expect(new Set(atHost).size).toBe(300);
    expect(atOne).toEqual(atHost);
    expect(atTwo).toEqual(atHost);
  });

  test('resumes at any process from a position that another one gave', async () => {
    const host = await started();
    const [one, two] = [link(host).broker, link(host).broker];
    const seen = await collect(one);
    for (const id of ['1', '2', '3']) await two.append('system', record(id));
    const { position } = await two.resolve('system', { position: seen[0]?.position ?? '' });
    const read: BrokerRecord[] = [];
    for await (const batch of two.read('system', position, await two.position('system'))) read.push(...batch);
    expect(ids(read)).toEqual(['2', '3']);
    expect(two.caughtUp('system', seen[2]?.position ?? '', await one.position('system'))).toBe(true);
  });

  test('reads a history of many pages whole and in order', async () => {
    const host = await started();
    const { broker } = link(host);
    const message = 'x'.repeat(100_000);
    for (let n = 0; n < 60; n += 1) await broker.append('system', record(String(n), { message }));
    const { position } = await broker.resolve('system', 'earliest');
    const pages: number[] = [];
    const read: BrokerRecord[] = [];
    for await (const batch of broker.read('system', position, await broker.position('system'))) {
      pages.push(batch.length);
      read.push(...batch);
    }
    expect(ids(read)).toEqual(Array.from({ length: 60 }, (_, n) => String(n)));
    expect(pages.length).toBeGreaterThan(3);
  });

  test('accepts a message of this process only when the other processes were sent it', async () => {
    const host = await started();
    const { broker } = link(host);
    const seen = await collect(broker);
    await host.host.append('system', record('1'));
    host.cut();
    await expect.poll(() => ids(seen)).toEqual(['1']);
  });
});

describe('a process whose connection to the broker breaks', () => {
  test('connects again, and tells nothing when it missed nothing', async () => {
    const host = await started();
    const { broker, missed } = link(host);
    const seen = await collect(broker);
    await broker.append('system', record('1'));
    host.cut();
    // A message on its way through the connection is refused, as retriable.
    await withRetry(() => broker.append('system', record('2')), retryPolicy({ baseDelayMs: 10 }));
    await broker.position('system');
    expect(ids(seen)).toEqual(['1', '2']);
    expect(missed.count).toBe(0);
  });

  test('tells when it may have missed records', async () => {
    const host = await started();
    const { broker, missed } = link(host);
    await collect(broker);
    host.cut();
    await host.host.append('system', record('1'));
    await expect.poll(() => missed.count).toBe(1);
  });

  test('tells when the broker has started again', async () => {
    const host = await started();
    const { broker, missed } = link(host);
    const seen = await collect(broker);
    await host.stop();
    await host.start();
    await expect.poll(() => missed.count).toBe(1);
    await broker.append('system', record('1'));
    expect(ids(seen)).toEqual(['1']);
  });

  test('is unhealthy meanwhile, and refuses what is not accepted in time with unavailable', async () => {
    const host = await started();
    const { broker } = link(host, { appendTimeoutMs: 50 });
    const before = await broker.position('system');
    await host.stop();
    await expect.poll(() => broker.health().status).toBe('unhealthy');
    await expect(broker.append('system', record('1'))).rejects.toMatchObject({ code: 'unavailable' });
    expect(await broker.position('system')).toBe(before);
  });

  test('keeps the order of messages that wait for the connection', async () => {
    const host = new HostProcess();
    const { broker } = link(host);
    const appended = ['1', '2', '3'].map((id) => broker.append('system', record(id)));
    await host.start();
    cleanUps.push(() => host.stop());
    await Promise.all(appended);
    const { position } = await broker.resolve('system', 'earliest');
    const read: BrokerRecord[] = [];
    for await (const batch of broker.read('system', position, await broker.position('system'))) {
      read.push(...batch);
    }
    expect(ids(read)).toEqual(['1', '2', '3']);
  });

  test('holds at most 32 MiB of messages that wait', async () => {
    const host = new HostProcess();
    const { broker } = link(host, { appendTimeoutMs: 200 });
    const message = 'x'.repeat(1_000_000);
    const outcomes = await Promise.allSettled(
      Array.from({ length: 40 }, (_, n) => broker.append('system', record(String(n), { message }))),
    );
    const codes = outcomes.map((outcome) =>
      outcome.status === 'rejected' && GaterError.is(outcome.reason) ? outcome.reason.code : undefined,
    );
    expect(codes.filter((code) => code === 'overloaded')).toHaveLength(7);
    expect(codes.filter((code) => code === 'unavailable')).toHaveLength(33);
  });

  test('ends the reads of a reader that has left', async () => {
    const host = await started();
    const { broker } = link(host);
    const abort = new AbortController();
    const until = await broker.position('system');
    const read = broker.read('system', until, until, { signal: abort.signal });
    abort.abort();
    const batches: unknown[] = [];
    for await (const batch of read) batches.push(batch);
    expect(batches).toEqual([]);
  });
});
