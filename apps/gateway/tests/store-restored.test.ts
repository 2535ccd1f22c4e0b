import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { startTestGateway, type TestGateway } from './support/in-process.ts';
import { createListStore } from './support/list-worker.ts';
import { type RawClient, rawConnect } from './support/raw-client.ts';

let dataDir: string;
let gateway: TestGateway;
let client: RawClient;

async function start(): Promise<void> {
  gateway = await startTestGateway({ stores: '{"default":{"engine":"sqlite"}}' }, { dataDir });
  client = await rawConnect(gateway.url);
}

async function stop(): Promise<void> {
  await client.close();
  await gateway.close();
}

beforeEach(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'esdb-gater-restored-'));
  await start();
});
afterEach(async () => {
  await stop();
  rmSync(dataDir, { recursive: true, force: true });
});

let written = 0;
/** Appends events that no other call appends, and resolves to their numbers. */
async function append(count: number): Promise<number[]> {
  const numbers = Array.from({ length: count }, () => ++written);
  const events = numbers.map((n) => ({ type: 'counted', data: { n } }));
  const { error } = await client.call('appendEvents', { storeId: 'default', streamId: 's', events });
  if (error !== undefined) throw new Error(error.message);
  return numbers;
}

const received = (): number[] =>
  client.notices
    .filter(({ method }) => method === 'message')
    .map(({ params }) => (params['message'] as { data: { n: number } }).data.n);

interface Subscribed {
  readonly position: string;
  readonly lost?: boolean;
}

async function subscribe(from: unknown = 'latest', topic = '>'): Promise<Subscribed> {
  const { result, error } = await client.call('subscribe', { channel: 'events', topic, from });
  if (error !== undefined) throw new Error(error.message);
  return result as Subscribed;
}

const health = async (): Promise<string> =>
  ((await client.call('health')).result as { reasons: { component: string; message: string }[] }).reasons
    .map(({ component, message }) => `${component}: ${message}`)
    .join('\n');

const file = (name: string): string => join(dataDir, name);

/** Two positions and the numbers written after each; a backup lies between the positions. The gateway has stopped. */
async function writeAroundBackup() {
  await subscribe();
  const before = await append(3);
  await client.until(() => received().length === 3);
  const old = (await subscribe()).position;
  await stop();
  copyFileSync(file('default.db'), file('backup.db'));
  await start();
  await subscribe();
  await append(4);
  await client.until(() => received().length === 4);
  const lastNotice = client.notices.findLast(({ method }) => method === 'message');
  const late = String(lastNotice?.params['position']);
  await stop();
  return { before, old, late };
}

function restore(): void {
  copyFileSync(file('backup.db'), file('default.db'));
  for (const rest of ['-wal', '-shm']) rmSync(file(`default.db${rest}`), { force: true });
}

test.each([2, 9])(
  'a position from after a restored backup results in `lost` and the events written since, %d events [R12] [F26]',
  async (count) => {
    const { before, old, late } = await writeAroundBackup();
    restore();
    await start();
    const since = await append(count);
    const resumed = await subscribe({ position: late });
    expect(resumed.lost).toBe(true);
    await client.until(() => received().length >= before.length + since.length);
    expect(received()).toEqual([...before, ...since]);
    // A position from before the backup is still proved: no event is missing.
    await client.close();
    client = await rawConnect(gateway.url);
    const earlier = await subscribe({ position: old });
    expect(earlier.lost).toBeUndefined();
    await client.until(() => received().length >= since.length);
    expect(received()).toEqual(since);
  },
);

test('a position stays valid after a plain restart, without `lost` [R12] [F26]', async () => {
  await subscribe();
  await append(2);
  await client.until(() => received().length === 2);
  const { position } = await subscribe();
  for (let restart = 0; restart < 2; restart++) {
    await stop();
    await start();
  }
  const since = await append(2);
  expect(await subscribe({ position })).not.toHaveProperty('lost');
  await client.until(() => received().length >= since.length);
  expect(received()).toEqual(since);
  expect(await health()).toBe('');
});

test('a message that a client published before a restart is reported as lost only to subscribers that missed it [R12]', async () => {
  const { position: before } = await subscribe();
  const publish = { channel: 'events', topic: 'by.client', message: { data: { n: -1 } } };
  const { position: after } = (await client.call('publish', publish)).result as Subscribed;
  await stop();
  await start();
  expect((await subscribe({ position: before })).lost).toBe(true);
  expect((await subscribe({ position: after }, 'other.>')).lost).toBeUndefined();
});

test('a remote store that restarts at lower positions is fed from there, and health reports it [R12]', async () => {
  const store = createListStore('orders');
  const worker = await store.serve(gateway.url);
  await subscribe();
  const positions = (): unknown[] =>
    client.notices
      .filter(({ method }) => method === 'message')
      .map(({ params }) => (params['message'] as { position: number }).position);
  store.commit(5);
  await client.until(() => positions().length === 5);
  const { position } = await subscribe();
  store.events = [];
  store.commit(3);
  await client.until(() => positions().length === 8);
  expect(positions().slice(5)).toEqual([1, 2, 3]);
  expect(await health()).toMatch(/feed:orders: the store no longer has the event at position 5/);
  expect((await subscribe({ position })).lost).toBe(true);
  await worker.close();
});

test('a remote store that is restored and written past is fed from its beginning [R12]', async () => {
  const store = createListStore('orders');
  const worker = await store.serve(gateway.url);
  await subscribe();
  const ids = (): unknown[] =>
    client.notices.filter(({ method }) => method === 'message').map(({ params }) => params['id']);
  store.commit(5);
  await client.until(() => ids().length === 5);
  store.events = store.events.slice(0, 2);
  store.commit(6);
  await client.until(() => ids().length >= 11);
  const fed = new Set(ids());
  expect(store.events.filter(({ id }) => !fed.has(id as string))).toEqual([]);
  expect(await health()).toMatch(/feed:orders: the store no longer has the event at position 5/);
  await worker.close();
});

test('a page with a huge `lastPosition` moves neither the feed nor a replay [R12]', async () => {
  const store = createListStore('orders');
  store.distort = (page) => ({ ...page, lastPosition: Number.MAX_SAFE_INTEGER - 1 });
  const worker = await store.serve(gateway.url);
  await subscribe();
  const ids = (): unknown[] =>
    client.notices.filter(({ method }) => method === 'message').map(({ params }) => params['id']);
  store.commit(3);
  await vi.waitFor(async () => expect(await health()).toContain('feed:orders'), { timeout: 10_000 });
  expect(ids()).toEqual([]);
  // Such a page is refused as a whole. Once the worker answers correctly, no event is missing.
  store.distort = (page) => page;
  await client.until(() => ids().length === 3);
  expect(ids()).toEqual(store.events.map(({ id }) => id));
  await worker.close();
});
