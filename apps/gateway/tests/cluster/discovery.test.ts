import { createSocket } from 'node:dgram';
import { afterEach, expect, test } from 'vitest';
import { createTestCluster, type TestCluster } from '../support/test-cluster.ts';

const GROUP = '239.255.0.2';

let cluster: TestCluster | undefined;
afterEach(() => cluster?.close());

/** Finds out whether this machine delivers multicast to itself. */
function hasMulticast(): Promise<boolean> {
  const socket = createSocket({ type: 'udp4', reuseAddr: true });
  return new Promise<boolean>((resolve) => {
    const timer = setTimeout(() => resolve(false), 1_000);
    const end = (isThere: boolean): void => {
      clearTimeout(timer);
      resolve(isThere);
    };
    socket.on('error', () => end(false));
    socket.on('message', () => end(true));
    socket.bind(0, () => {
      try {
        socket.addMembership(GROUP);
        socket.send('hello', socket.address().port, GROUP, (error) => error !== null && end(false));
      } catch {
        end(false);
      }
    });
  }).finally(() => socket.close());
}

test.skipIf(!(await hasMulticast()))('nodes find each other by multicast (needs multicast)', async () => {
  cluster = createTestCluster();
  const multicast = { 'cluster-discovery': 'multicast', 'cluster-peers': '', 'cluster-port': '45911' };
  await cluster.add('a', { ...multicast, stores: '{"orders":{"engine":"memory"}}' });
  const b = await cluster.add('b', multicast);
  await cluster.agree('a', 'b');
  const atB = await cluster.client(b);
  expect((await atB.health()).nodes).toHaveLength(2);
});
