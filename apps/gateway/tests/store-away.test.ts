import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { startTestGateway, type TestGateway } from './support/in-process.ts';
import { createListStore, type ListStore } from './support/list-worker.ts';
import { type RawClient, rawConnect } from './support/raw-client.ts';

let dataDir: string;
let gateway: TestGateway;
let client: RawClient;
let orders: ListStore;
let worker: RawClient;

async function start(): Promise<void> {
  gateway = await startTestGateway({ stores: '{"default":{"engine":"sqlite"}}' }, { dataDir });
  client = await rawConnect(gateway.url);
}

async function stop(): Promise<void> {
  client.socket.terminate();
  await gateway.close();
}

beforeEach(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'esdb-gater-away-'));
  orders = createListStore('orders', '018f5e2c-0000-7000-8000-00000000000a');
  await start();
  worker = await orders.serve(gateway.url);
});
afterEach(async () => {
  await stop();
  rmSync(dataDir, { recursive: true, force: true });
});

const append = async (count: number): Promise<void> => {
  const events = Array.from({ length: count }, (_, n) => ({ type: 'counted', data: { n } }));
  await client.call('appendEvents', { storeId: 'default', streamId: 's', events });
};

/** The topic's store and the position in it of every message, in order. */
const received = (of: RawClient): string[] =>
  of.notices
    .filter(({ method }) => method === 'message')
    .map(({ params }) => {
      const { storeId, position } = params['message'] as { storeId: string; position: number };
      return `${storeId}${position}`;
    });

const replayed = (of: RawClient): number => of.notices.filter(({ method }) => method === 'replayed').length;

async function subscribe(topic: string, from: unknown): Promise<{ client: RawClient; lost: unknown }> {
  const other = await rawConnect(gateway.url);
  const { result, error } = await other.call('subscribe', { channel: 'events', topic, from });
  if (error !== undefined) throw new Error(error.message);
  return { client: other, lost: (result as { lost?: boolean }).lost };
}

/** Feeds three events of each store and resolves to a position before them. */
async function feedThree(): Promise<string> {
  const { result } = await client.call('subscribe', { channel: 'events', topic: '>' });
  await append(3);
  orders.commit(3);
  await client.until(() => received(client).length === 6);
  return (result as { position: string }).position;
}

async function workerLeaves(): Promise<void> {
  worker.socket.terminate();
  await vi.waitFor(async () =>
    expect((await client.call('quickHealthCheck', { storeId: 'orders' })).error?.data.code).toBe(
      'no_workers',
    ),
  );
}

test.each(['earliest', 'position', 'time'] as const)(
  'a store without a worker does not stop a replay from %s, and is delivered when it is back [R11] [F25]',
  async (kind) => {
    const position = await feedThree();
    await workerLeaves();
    const from = { earliest: 'earliest', position: { position }, time: { time: '2020-01-01T00:00:00Z' } }[
      kind
    ];
    const { client: reader } = await subscribe('>', from);
    await reader.until(() => received(reader).length === 3);
    await append(2);
    await reader.until(() => received(reader).length === 5);
    expect(received(reader)).toEqual(['default1', 'default2', 'default3', 'default4', 'default5']);
    expect(replayed(reader)).toBe(0);
    const { reasons } = (await client.call('health')).result as { reasons: { message: string }[] };
    expect(reasons.map(({ message }) => message).join('\n')).toMatch(/replays of `events` wait for .*orders/);

    orders.commit(2);
    worker = await orders.serve(gateway.url);
    await reader.until(() => replayed(reader) === 1 && received(reader).length >= 10);
    expect(received(reader).slice(5)).toEqual(['orders1', 'orders2', 'orders3', 'orders4', 'orders5']);
    orders.commit(1);
    await append(1);
    await reader.until(() => received(reader).length === 12);
    expect(received(reader).slice(10).toSorted()).toEqual(['default6', 'orders6']);
    await reader.close();
  },
);

test('a replay does not wait for a store that its pattern cannot match [R11]', async () => {
  await feedThree();
  await workerLeaves();
  for (const topic of ['default.>', 'default.*.counted', '*.*']) {
    const { client: reader } = await subscribe(topic, 'earliest');
    await reader.until(() => replayed(reader) === 1);
    expect(received(reader)).toEqual(topic === '*.*' ? [] : ['default1', 'default2', 'default3']);
    await reader.close();
  }
});

test('events of a store are delivered once its worker returns after a restart of the gateway [R11] [F25]', async () => {
  const position = await feedThree();
  await stop();
  await start();
  const { client: reader, lost } = await subscribe('>', { position });
  expect(lost).toBeUndefined();
  await reader.until(() => received(reader).length === 3);
  orders.commit(1);
  worker = await orders.serve(gateway.url);
  await reader.until(() => replayed(reader) === 1 && received(reader).length >= 7);
  expect(received(reader)).toEqual([
    'default1',
    'default2',
    'default3',
    'orders1',
    'orders2',
    'orders3',
    'orders4',
  ]);
  await reader.close();
});
