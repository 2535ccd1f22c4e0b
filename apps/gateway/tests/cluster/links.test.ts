import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { afterEach, expect, test, vi } from 'vitest';
import { CLUSTER_WAIT, createTestCluster, type TestCluster } from '../support/test-cluster.ts';

let cluster: TestCluster;
afterEach(() => cluster.close());

const list = (...names: string[]): string =>
  JSON.stringify(names.map((name) => ({ keyId: name, secret: `the ${name} secret` })));

test.each([
  ['the new secret is added behind the old one', list('old'), list('old', 'new')],
  ['the new secret signs and the old one verifies', list('old', 'new'), list('new', 'old')],
  ['the old secret is removed', list('new', 'old'), list('new')],
])('nodes that are ahead in a rotation and behind find each other: %s', async (_, behind, ahead) => {
  cluster = createTestCluster();
  await cluster.add('a', { 'cluster-secret': behind, stores: '{"orders":{"engine":"memory"}}' });
  const b = await cluster.add('b', { 'cluster-secret': ahead });
  await cluster.agree('a', 'b');
  const atB = await cluster.client(b);
  await vi.waitFor(() => atB.quickHealthCheck({ storeId: 'orders' }), CLUSTER_WAIT);
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

async function websockets(http: string): Promise<number> {
  const text = await (await fetch(`${http}/metrics`)).text();
  return Number(/^esdb_gater_connections\{[^}]*websocket[^}]*\} (\d+)/m.exec(text)?.[1] ?? Number.NaN);
}

test('two nodes that dial each other at the same time keep one connection', async () => {
  cluster = createTestCluster();
  const ports = [await freePort(), await freePort()];
  const urls = ports.map((port) => `ws://127.0.0.1:${port}/v1/ws`);
  const [a, b] = await Promise.all(
    ['a', 'b'].map((nodeId, index) =>
      cluster.add(nodeId, { port: String(ports[index]), 'cluster-peers': urls.join(',') }),
    ),
  );
  await cluster.agree('a', 'b');
  if (a === undefined || b === undefined) throw new Error('two nodes were started');
  await vi.waitFor(
    async () => expect((await websockets(a.http)) + (await websockets(b.http))).toBe(1),
    CLUSTER_WAIT,
  );
});
