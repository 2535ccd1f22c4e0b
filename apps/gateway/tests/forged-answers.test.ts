// A worker with answers that do not fit the calls, over a raw WebSocket.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestGateway, type TestGateway } from './support/in-process.ts';
import { type RawClient, type RpcRequest, rawConnect } from './support/raw-client.ts';

let gateway: TestGateway;
let client: RawClient;
beforeAll(async () => {
  gateway = await startTestGateway({ stores: '{"default":{"engine":"memory"}}' });
  client = await rawConnect(gateway.url);
});
afterAll(async () => {
  await client.close();
  await gateway.close();
});

function recorded(storeId: string, position: number) {
  return {
    id: `018f5e2c-0000-7000-8000-${String(position).padStart(12, '0')}`,
    type: 'forged',
    storeId,
    streamId: 's',
    version: position - 1,
    position,
    data: null,
    metadata: {},
    tags: [],
    timestamp: '2026-01-31T12:00:00.000Z',
    epochUs: 1_769_860_800_000_000 + position,
  };
}

test.each([
  ['events of another store', () => ({ events: [recorded('default', 1)], lastPosition: 1 })],
  ['a page that does not advance', () => ({ events: [recorded('evil', 1)], lastPosition: 1, next: 0 })],
  ['an empty page with `next`', () => ({ events: [], lastPosition: 0, next: 0 })],
  ['a huge position', () => ({ events: [recorded('evil', 1)], lastPosition: Number.MAX_SAFE_INTEGER })],
])(
  '%s are never fed, do not make the gateway ask on and on, and are internal [R2] [T26]',
  async (_, page) => {
    const worker = await rawConnect(gateway.url);
    await client.call('subscribe', { channel: 'events', topic: '>' });
    let asked = 0;
    worker.serve(({ method }: RpcRequest) => {
      if (method !== 'readAll') return {};
      asked++;
      return page();
    });
    await worker.call('registerWorker', { storeId: 'evil', workerId: 'one' });
    await expect.poll(() => asked).toBeGreaterThan(0);
    const { error } = await client.call('readAll', { storeId: 'evil' });
    // After three strikes the worker is ejected, so the feed may have used them up.
    expect(['internal', 'no_workers', 'retries_exhausted']).toContain(error?.data.code);
    // An event of another store is published after all earlier events of the feed.
    const events = [{ type: 'real', data: null }];
    await client.call('appendEvents', { storeId: 'default', streamId: 'own', events });
    const fed = () =>
      client.notices.filter(({ method }) => method === 'message').map(({ params }) => params['topic']);
    await client.until(() => fed().includes('default.own.real'));
    expect(fed().filter((topic) => String(topic).endsWith('.forged'))).toEqual([]);
    expect(asked).toBeLessThan(50);
    await worker.close();
    client.notices.length = 0;
  },
);

test('stores without workers are removed from health and metrics, and calls fail with no_workers [R27]', async () => {
  const worker = await rawConnect(gateway.url);
  worker.serve(() => ({ events: [], lastPosition: 0 }));
  const names = Array.from({ length: 200 }, (_, n) => `gone-${n}`);
  for (const storeId of names) await worker.call('registerWorker', { storeId, workerId: 'one' });
  for (const storeId of names) await worker.call('unregisterWorker', { storeId });
  await worker.close();
  const { stores } = (await client.call('health')).result as { stores: object };
  expect(Object.keys(stores).filter((storeId) => storeId.startsWith('gone-'))).toEqual([]);
  const metrics = await (await fetch(`${gateway.http}/metrics`)).text();
  // The counts of their calls stay, bounded by the number of series.
  expect(metrics).toMatch(/^esdb_gater_workers\{store_id="default"[^}]*\}/m);
  expect(metrics).not.toMatch(/^esdb_gater_workers\{store_id="gone-/m);
  for (const storeId of ['gone-0', 'gone-199']) {
    const { error } = await client.call('quickHealthCheck', { storeId });
    expect(error?.data.code).toBe('no_workers');
  }
});

test('of the stores with a broken connection, a hundred are kept and the others removed [R27] [F25]', async () => {
  const worker = await rawConnect(gateway.url);
  worker.serve(() => ({ events: [], lastPosition: 0 }));
  const names = Array.from({ length: 200 }, (_, n) => `broken-${n}`);
  for (const storeId of names) await worker.call('registerWorker', { storeId, workerId: 'one' });
  await worker.close();
  await expect
    .poll(async () => {
      const { stores } = (await client.call('health')).result as { stores: object };
      return Object.keys(stores).length;
    })
    .toBe(101);
  for (const storeId of ['broken-0', 'broken-199']) {
    const { error } = await client.call('quickHealthCheck', { storeId });
    expect(error?.data.code).toBe('no_workers');
  }
});
