import { afterEach, expect, test, vi } from 'vitest';
import { CLUSTER_WAIT, createTestCluster, type TestCluster } from '../support/test-cluster.ts';

let cluster: TestCluster;
afterEach(() => cluster.close());

const ORDERS = { stores: '{"orders":{"engine":"memory"}}' };
const append = (n: number) => ({
  storeId: 'orders',
  streamId: `s-${n}`,
  events: [{ type: 'placed', data: { n }, tags: ['t'] }],
});

test('a store of one node is served from every node, with all its methods', async () => {
  cluster = createTestCluster();
  const a = await cluster.add('a', ORDERS);
  const b = await cluster.add('b');
  const c = await cluster.add('c');
  await cluster.agree('a', 'b', 'c');
  const [atA, atB, atC] = [await cluster.client(a), await cluster.client(b), await cluster.client(c)];
  await vi.waitFor(
    async () => expect(await atC.quickHealthCheck({ storeId: 'orders' })).toEqual({ workers: 1 }),
    CLUSTER_WAIT,
  );
  await vi.waitFor(() => atB.quickHealthCheck({ storeId: 'orders' }), CLUSTER_WAIT);
  expect(await atB.appendEvents(append(1))).toMatchObject({ version: 0, position: 1, duplicate: false });
  expect(await atC.getEvents({ storeId: 'orders', streamId: 's-1' })).toMatchObject({
    events: [{ data: { n: 1 } }],
    version: 0,
  });
  const query = { items: [{ types: ['placed'] }] };
  expect(await atC.queryEvents({ storeId: 'orders', query })).toMatchObject({ lastPosition: 1 });
  await expect(atC.appendEvents({ ...append(1), expectedVersion: 7 })).rejects.toMatchObject({
    code: 'wrong_expected_version',
    expected: 7,
    actual: 0,
  });
  await expect(atC.getEvents({ storeId: 'orders', streamId: 'none' })).rejects.toMatchObject({
    code: 'stream_not_found',
  });
  expect(await atA.getVersion({ storeId: 'orders', streamId: 's-1' })).toEqual({ version: 0 });

  const health = await atC.health();
  expect(health.stores['orders']).toEqual({
    status: 'healthy',
    workers: [{ workerId: expect.any(String), nodeId: 'a' }],
  });
  expect(health.nodes.map(({ nodeId, url, status }) => [nodeId, url, status]).toSorted()).toEqual([
    ['a', a.url, 'healthy'],
    ['b', b.url, 'healthy'],
    ['c', c.url, 'healthy'],
  ]);
});

test('a store that no node has is unknown, and one whose node has left has no workers', async () => {
  cluster = createTestCluster();
  const b = await cluster.add('b');
  const a = await cluster.add('a', ORDERS);
  await cluster.agree('a', 'b');
  const atB = await cluster.client(b);
  await expect(atB.getVersion({ storeId: 'nowhere', streamId: 's' })).rejects.toMatchObject({
    code: 'store_not_found',
  });
  await vi.waitFor(() => atB.appendEvents(append(1)), CLUSTER_WAIT);
  await a.close();
  await vi.waitFor(async () => {
    await expect(atB.quickHealthCheck({ storeId: 'orders' })).rejects.toMatchObject({ code: 'no_workers' });
  }, CLUSTER_WAIT);
  expect((await atB.health()).nodes.map(({ nodeId }) => nodeId)).toEqual(['b']);
});
