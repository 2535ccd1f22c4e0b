import { afterEach, expect, test } from 'vitest';
import { createTestCluster, type TestCluster } from '../support/test-cluster.ts';

let cluster: TestCluster;
afterEach(() => cluster.close());

test('nodes find each other by multicast, where the network has it', async () => {
  cluster = createTestCluster();
  const multicast = { 'cluster-discovery': 'multicast', 'cluster-peers': '', 'cluster-port': '45911' };
  await cluster.add('a', { ...multicast, stores: '{"orders":{"engine":"memory"}}' });
  const b = await cluster.add('b', multicast);
  await cluster.agree('a', 'b');
  const atB = await cluster.client(b);
  expect((await atB.health()).nodes).toHaveLength(2);
});
