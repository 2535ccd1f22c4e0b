import { connect, type RemoteGater } from '@esdb-gater/client';
import { expect, vi } from 'vitest';
import { startTestGateway, type TestGateway } from './in-process.ts';

export const CLUSTER_SECRET = 'the secret of the test cluster';

/** Membership takes a few rounds, on a busy machine more. */
export const CLUSTER_WAIT = { timeout: 15_000, interval: 20 };

export type ClusterFlags = Readonly<Record<string, string>>;

/** The flags of a node of a cluster. */
export function nodeFlags(nodeId: string, peers: readonly string[], flags: ClusterFlags = {}): ClusterFlags {
  return {
    'node-id': nodeId,
    'cluster-discovery': 'static',
    'cluster-secret': CLUSTER_SECRET,
    'security-hmac-secret': 'messages',
    stores: '{}',
    ...(peers.length === 0 ? {} : { 'cluster-peers': peers.join(',') }),
    ...flags,
  };
}

/** Nodes of a cluster in this process, which find each other by the URL of the first. */
export interface TestCluster {
  readonly nodes: TestGateway[];
  add(nodeId: string, flags?: ClusterFlags): Promise<TestGateway>;
  client(node: TestGateway): Promise<RemoteGater>;
  /** Resolves when every node sees the nodes with these ids, and no other. */
  agree(...nodeIds: string[]): Promise<void>;
  close(): Promise<void>;
}

export function createTestCluster(): TestCluster {
  const nodes: TestGateway[] = [];
  const clients: RemoteGater[] = [];
  const cluster: TestCluster = {
    nodes,
    async add(nodeId, flags) {
      const peers = nodes.slice(0, 1).map(({ url }) => url);
      const node = await startTestGateway(nodeFlags(nodeId, peers, flags));
      nodes.push(node);
      return node;
    },
    async client(node) {
      const client = await connect(node.url);
      clients.push(client);
      return client;
    },
    async agree(...nodeIds) {
      const expected = nodeIds.toSorted();
      const asked = await Promise.all(
        nodes.filter(({ nodeId }) => nodeIds.includes(nodeId)).map((node) => connect(node.url)),
      );
      try {
        for (const client of asked) {
          await vi.waitFor(async () => {
            const { nodes: seen } = await client.clusterInfo();
            expect(seen.map(({ nodeId }) => nodeId).toSorted()).toEqual(expected);
            expect(new Set(seen.map(({ status }) => status))).toEqual(new Set(['alive']));
          }, CLUSTER_WAIT);
        }
      } finally {
        await Promise.all(asked.map((client) => client.close()));
      }
    },
    async close() {
      await Promise.all(clients.splice(0).map((client) => client.close()));
      await Promise.all(nodes.splice(0).map((node) => node.close()));
    },
  };
  return cluster;
}
