import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createRevocation, createToken, Identity, identityToJson, tokenId } from '@esdb-gater/security';
import { afterEach, expect, test, vi } from 'vitest';
import { temporaryFolder } from '../support/gateway-process.ts';
import { createListStore } from '../support/list-worker.ts';
import { rawConnect } from '../support/raw-client.ts';
import { CLUSTER_WAIT, createTestCluster, type TestCluster } from '../support/test-cluster.ts';

let cluster: TestCluster;
afterEach(() => cluster.close());

const ORDERS = { stores: '{"orders":{"engine":"sqlite"}}' };
const append = (n: number) => ({
  storeId: 'orders',
  streamId: 's',
  events: [{ type: 'placed', data: { n } }],
});

async function clusterOfTwo() {
  cluster = createTestCluster();
  const a = await cluster.add('a', ORDERS);
  const b = await cluster.add('b');
  await cluster.agree('a', 'b');
  const [atA, atB] = [await cluster.client(a), await cluster.client(b)];
  await vi.waitFor(() => atB.quickHealthCheck({ storeId: 'orders' }), CLUSTER_WAIT);
  return { a, b, atA, atB };
}

test('a follow on one node gets the events of a store of another, and each new one', async () => {
  const { atA, atB } = await clusterOfTwo();
  await atA.appendEvents(append(0));
  const events = atB.follow({ storeId: 'orders' })[Symbol.asyncIterator]();
  expect((await events.next()).value).toMatchObject({ position: 1, data: { n: 0 } });
  for (let n = 1; n <= 20; n++) {
    const next = events.next();
    await atA.appendEvents(append(n));
    expect((await next).value).toMatchObject({ position: n + 1, data: { n } });
  }
});

test('subscribers of events on one node get what a store of another commits, once and in order', async () => {
  const { atA, atB } = await clusterOfTwo();
  await atA.appendEvents(append(0));
  const messages = await atB.subscribe({ channel: 'events', topic: 'orders.>', from: 'earliest' });
  const received = messages[Symbol.asyncIterator]();
  for (let n = 1; n <= 10; n++) await atA.appendEvents(append(n));
  const data: unknown[] = [];
  for (let n = 0; n <= 10; n++) {
    const { value } = await received.next();
    data.push((value.message as { data: unknown }).data);
  }
  expect(data).toEqual(Array.from({ length: 11 }, (_, n) => ({ n })));
  await messages.unsubscribe();
});

test('consumers on two nodes share a persistent subscription, and its checkpoint is one', async () => {
  const { atA, atB } = await clusterOfTwo();
  const params = { storeId: 'orders', name: 'billing', type: 'stream', selector: '$all' } as const;
  const [onA, onB] = [await atA.saveSubscription(params), await atB.saveSubscription(params)];
  expect((await atB.getSubscriptions({ storeId: 'orders' })).subscriptions).toMatchObject([
    { name: 'billing', subscribers: 2 },
  ]);
  const received: Record<'a' | 'b', number[]> = { a: [], b: [] };
  const consume = async (subscription: typeof onA, list: number[]): Promise<void> => {
    for await (const { event, ack } of subscription) {
      list.push(event.position);
      await ack();
    }
  };
  const running = [consume(onA, received.a), consume(onB, received.b)];
  for (let n = 0; n < 40; n++) {
    await atB.appendEvents({ storeId: 'orders', streamId: `s-${n}`, events: [{ type: 'placed', data: n }] });
  }
  await vi.waitFor(async () => {
    const { subscriptions } = await atA.getSubscriptions({ storeId: 'orders' });
    expect(subscriptions[0]).toMatchObject({ checkpoint: 40, lag: 0 });
  }, CLUSTER_WAIT);
  expect([...received.a, ...received.b].toSorted((one, other) => one - other)).toEqual(
    Array.from({ length: 40 }, (_, n) => n + 1),
  );
  expect(received.a.length * received.b.length).toBeGreaterThan(0);
  await onB.unsubscribe();
  expect((await atA.getSubscriptions({ storeId: 'orders' })).subscriptions).toMatchObject([
    { subscribers: 1 },
  ]);
  await onA.unsubscribe();
  await Promise.all(running);
  // The other calls are passed on, too.
  await atB.resetSubscription({ storeId: 'orders', name: 'billing', startFrom: 0 });
  expect((await atA.getSubscriptions({ storeId: 'orders' })).subscriptions).toMatchObject([
    { checkpoint: 0 },
  ]);
  expect(await atB.removeSubscription({ storeId: 'orders', name: 'billing' })).toEqual({ removed: true });
  expect(await atA.getSubscriptions({ storeId: 'orders' })).toEqual({ subscriptions: [] });
});

test('a consumer that leaves with its connection hands its events to the consumer of another node', async () => {
  const { a, b } = await clusterOfTwo();
  const params = { storeId: 'orders', name: 'billing', type: 'stream', selector: '$all' };
  const [onA, onB] = [await rawConnect(a.url), await rawConnect(b.url)];
  expect((await onB.call('saveSubscription', params)).error).toBeUndefined();
  await onA.call('appendEvents', append(0));
  const eventsOf = (client: typeof onA) => client.notices.filter(({ method }) => method === 'event');
  await onB.until(() => eventsOf(onB).length === 1);
  expect(eventsOf(onB)[0]?.params).toMatchObject({ name: 'billing', attempt: 1, event: { position: 1 } });
  await onA.call('saveSubscription', params);
  onB.socket.terminate();
  await onA.until(() => eventsOf(onA).length === 1);
  expect(eventsOf(onA)[0]?.params).toMatchObject({ attempt: 2, event: { position: 1 } });
  const ack = { storeId: 'orders', name: 'billing', streamId: 's', eventNumber: 0 };
  expect((await onA.call('ackEvent', ack)).result).toEqual({ checkpoint: 1 });
  await onA.close();
});

test('the node that serves a worker’s subscriptions next goes on from the same checkpoint', async () => {
  cluster = createTestCluster();
  const a = await cluster.add('a');
  const b = await cluster.add('b');
  const c = await cluster.add('c');
  await cluster.agree('a', 'b', 'c');
  const store = createListStore('orders', 'uuid-1');
  store.commit(5);
  const workers = [await store.serve(a.url), await store.serve(b.url)];
  const onC = await rawConnect(c.url);
  const workersSeen = async () => (await onC.call('quickHealthCheck', { storeId: 'orders' })).result;
  await vi.waitFor(async () => expect(await workersSeen()).toEqual({ workers: 2 }), CLUSTER_WAIT);
  const params = { storeId: 'orders', name: 'billing', type: 'stream', selector: '$all' };
  const positions = () =>
    onC.notices
      .filter(({ method }) => method === 'event')
      .map((notice) => (notice.params['event'] as { position: number }).position);
  expect((await onC.call('saveSubscription', params)).error).toBeUndefined();
  await onC.until(() => positions().length === 5);
  const ack = { storeId: 'orders', name: 'billing', streamId: 's', eventNumber: 2, upTo: true };
  expect((await onC.call('ackEvent', ack)).result).toEqual({ checkpoint: 3 });

  await a.close();
  await onC.until(() => onC.notices.some(({ method }) => method === 'subscriptionEnded'));
  await vi.waitFor(
    async () => expect((await onC.call('saveSubscription', params)).error).toBeUndefined(),
    CLUSTER_WAIT,
  );
  await onC.until(() => positions().length === 7);
  expect(positions().slice(5)).toEqual([4, 5]);
  const { result } = await onC.call('getSubscriptions', { storeId: 'orders' });
  expect(result).toMatchObject({ subscriptions: [{ checkpoint: 3, subscribers: 1 }] });
  await Promise.all([...workers, onC].map((client) => client.close()));
});

test('a revocation on one node ends connections on every other within a second [T6]', async () => {
  cluster = createTestCluster();
  const folder = temporaryFolder();
  try {
    const issuer = Identity.generate();
    const identityFile = join(folder.path, 'identity.json');
    writeFileSync(identityFile, JSON.stringify(identityToJson(issuer)), { mode: 0o600 });
    const shared = { 'security-identity-file': identityFile };
    const a = await cluster.add('a', shared);
    const b = await cluster.add('b', shared);
    await cluster.agree('a', 'b');
    const att = [{ with: 'esdb://default/channel/system/*', can: 'channel/subscribe' }];
    const token = createToken({ issuer, audience: issuer.did, att, lifetimeSeconds: 900 });
    const onA = await rawConnect(a.url, { headers: { authorization: `Bearer ${token}` } });
    const onB = await rawConnect(b.url);
    const revocation = createRevocation(issuer, { cid: tokenId(token) });
    expect((await onB.call('revokeToken', revocation)).error).toBeUndefined();
    expect((await onA.closed).code).toBe(4403);
    await onB.close();
    // A node that comes later learns of it from the others.
    const c = await cluster.add('c', shared);
    await vi.waitFor(async () => {
      await expect(rawConnect(c.url, { headers: { authorization: `Bearer ${token}` } })).rejects.toThrow(
        '401',
      );
    }, CLUSTER_WAIT);
  } finally {
    folder.remove();
  }
});
