import {
  type AnnouncedWorker,
  GaterError,
  type MemberInfo,
  type Registry,
  type StoreWorker,
  type WorkerInfo,
} from '@esdb-gater/types';
import { afterEach, describe, expect, test } from 'vitest';
import { type ClusterWorkers, createClusterWorkers } from '../src/membership/cluster-workers.ts';
import { createRegistry } from '../src/registry.ts';
import { FAILURE_TIMEOUT_MS, nameOf, SimulatedCluster } from './simulation/cluster.ts';
import type { Endpoint } from './simulation/network.ts';

const UUID = '0198c0de-0000-7000-8000-000000000001';
const OTHER_UUID = '0198c0de-0000-7000-8000-000000000002';

/** A node with a registry that is joined with those of the others. */
interface RegistryNode {
  readonly node: Endpoint;
  readonly registry: Registry;
  readonly shared: ClusterWorkers;
  /** The workers that were refused here, as `name@node`. */
  readonly refused: string[];
}

const clusters: SimulatedCluster[] = [];
const open: RegistryNode[] = [];

afterEach(() => {
  for (const { shared, registry } of open.splice(0)) {
    shared.close();
    registry.close();
  }
  for (const cluster of clusters.splice(0)) cluster.close();
});

function worker(nodeId: string, workerId: string, more: Partial<StoreWorker> = {}): StoreWorker {
  return {
    storeId: 'default',
    storeUuid: UUID,
    workerId,
    nodeId,
    incarnation: 1,
    registeredAt: 1,
    methods: ['getVersion', 'quickHealthCheck'],
    call: async () => `${workerId} at ${nodeId}` as never,
    ...more,
  };
}

const connect = ({ nodeId }: MemberInfo, announced: AnnouncedWorker): StoreWorker => ({
  ...announced,
  nodeId,
  call: async () => `${announced.workerId} by ${nodeId}` as never,
});

function join(
  node: Endpoint,
  policy: 'local-first' | 'round-robin' = 'round-robin',
  ownStores: ReadonlySet<string> = new Set(),
): RegistryNode {
  const { nodeId, membership } = node;
  const registry = createRegistry({}, { nodeId, policy });
  const refused: string[] = [];
  const onRefused = (one: WorkerInfo): unknown => refused.push(`${one.workerId}@${one.nodeId}`);
  const shared = createClusterWorkers({ registry, membership, connect, onRefused }, { nodeId, ownStores });
  const joined = { node, registry, shared, refused };
  open.push(joined);
  return joined;
}

async function registriesOf(count: number, policy?: 'local-first' | 'round-robin') {
  const cluster = new SimulatedCluster({ seed: 5 });
  clusters.push(cluster);
  await cluster.startMany(count);
  await cluster.until(() => cluster.agrees(), 10_000, 'all are members');
  return {
    cluster,
    nodes: cluster.live.map((node) => join(node, policy)) as [RegistryNode, RegistryNode, RegistryNode],
  };
}

const workersOf = ({ registry }: RegistryNode): string[] =>
  registry
    .workers('default')
    .map(({ workerId, nodeId }) => `${workerId}@${nodeId}`)
    .sort();

const call = async ({ registry }: RegistryNode): Promise<unknown> =>
  registry.pick('default').call('getVersion', { storeId: 'default', streamId: 's' });

describe('the workers of other nodes', () => {
  test('are registered everywhere, and called by what connect made', async () => {
    const { cluster, nodes } = await registriesOf(3);
    nodes[1].registry.register(worker(nameOf(1), 'w'));
    await cluster.run(500);
    for (const node of nodes) expect(workersOf(node)).toEqual(['w@node-0001']);
    expect(await call(nodes[0])).toBe('w by node-0001');
    expect(await call(nodes[1])).toBe('w at node-0001');
    expect(nodes[0].registry.states('default')).toMatchObject([
      { methods: ['getVersion', 'quickHealthCheck'], live: true, failures: 0, ejectedForMs: 0 },
    ]);
  });

  test('are gone with their node, and calls then say that there is no worker', async () => {
    const { cluster, nodes } = await registriesOf(3);
    nodes[1].registry.register(worker(nameOf(1), 'w'));
    await cluster.run(500);
    const picked = nodes[0].registry.pick('default');
    cluster.crash(nodes[1].node);
    await cluster.run(FAILURE_TIMEOUT_MS);
    expect(workersOf(nodes[0])).toEqual([]);
    expect(() => nodes[0].registry.pick('default')).toThrow(expect.objectContaining({ code: 'no_workers' }));
    await expect(picked.call('getVersion', { storeId: 'default', streamId: 's' })).rejects.toMatchObject({
      code: 'unavailable',
    });
    expect(nodes[0].registry.stores(), 'the store waits for its worker').toEqual(['default']);
  });

  test('of a node that shut down in order are forgotten with their store', async () => {
    const { cluster, nodes } = await registriesOf(2);
    nodes[1].registry.register(worker(nameOf(1), 'w'));
    await cluster.run(500);
    nodes[1].node.membership.leave();
    await cluster.run(500);
    expect(nodes[0].registry.stores()).toEqual([]);
  });

  test('are gone when they unregister there', async () => {
    const { cluster, nodes } = await registriesOf(2);
    nodes[1].registry.register(worker(nameOf(1), 'w'));
    await cluster.run(500);
    nodes[1].registry.unregister('default', 'w');
    await cluster.run(500);
    expect(workersOf(nodes[0])).toEqual([]);
  });

  test('share the calls of a node evenly by round robin', async () => {
    const { cluster, nodes } = await registriesOf(3);
    for (const [index, { registry }] of nodes.entries())
      registry.register(worker(nameOf(index), `w${index}`));
    await cluster.run(500);
    const counts = new Map<string, number>();
    for (let pick = 0; pick < 300; pick++) {
      const { workerId } = nodes[0].registry.pick('default');
      counts.set(workerId, (counts.get(workerId) ?? 0) + 1);
    }
    expect([...counts.values()]).toEqual([100, 100, 100]);
  });

  test('are not called while there is a local one, by local first', async () => {
    const { cluster, nodes } = await registriesOf(2, 'local-first');
    for (const [index, { registry }] of nodes.entries())
      registry.register(worker(nameOf(index), `w${index}`));
    await cluster.run(500);
    expect(await call(nodes[0])).toBe('w0 at node-0000');
    nodes[0].registry.unregister('default', 'w0');
    expect(await call(nodes[0])).toBe('w1 by node-0001');
  });

  test('that fail are ejected here only', async () => {
    const { cluster, nodes } = await registriesOf(2);
    const { registry } = nodes[0];
    nodes[0].shared.close();
    const failing = createClusterWorkers(
      {
        registry,
        membership: nodes[0].node.membership,
        connect: (node, announced) => ({
          ...connect(node, announced),
          call: async () => {
            throw new GaterError('unavailable', 'no link');
          },
        }),
      },
      { nodeId: nameOf(0) },
    );
    nodes[1].registry.register(worker(nameOf(1), 'w'));
    await cluster.run(500);
    for (let attempt = 0; attempt < 3; attempt++) await expect(call(nodes[0])).rejects.toThrow('no link');
    expect(registry.states('default')).toMatchObject([{ live: false, failures: 3, ejectedForMs: 1_000 }]);
    await expect(call(nodes[0])).rejects.toMatchObject({ code: 'no_workers' });
    expect(await call(nodes[1])).toBe('w at node-0001');
    failing.close();
  });
});

describe('one worker that registered with several nodes', () => {
  test('is one entry, and on its nodes the local one, whatever the incarnations [F15]', async () => {
    const { cluster, nodes } = await registriesOf(3);
    nodes[0].registry.register(worker(nameOf(0), 'w', { incarnation: 1 }));
    nodes[1].registry.register(worker(nameOf(1), 'w', { incarnation: 9_999_999_999_999 }));
    await cluster.run(500);
    expect(nodes.map(workersOf)).toEqual([['w@node-0000'], ['w@node-0001'], ['w@node-0000']]);
  });

  test('that registers here after another node has announced it becomes the local one', async () => {
    const { cluster, nodes } = await registriesOf(2);
    nodes[1].registry.register(worker(nameOf(1), 'w', { incarnation: 9_999_999_999_999 }));
    await cluster.run(500);
    nodes[0].registry.register(worker(nameOf(0), 'w', { incarnation: 1 }));
    await cluster.run(500);
    expect(nodes.map(workersOf)).toEqual([['w@node-0000'], ['w@node-0001']]);
    expect(await call(nodes[0])).toBe('w at node-0000');
  });

  test('is reached through the other node when its own goes', async () => {
    const { cluster, nodes } = await registriesOf(3);
    nodes[0].registry.register(worker(nameOf(0), 'w'));
    nodes[1].registry.register(worker(nameOf(1), 'w'));
    await cluster.run(500);
    expect(workersOf(nodes[2])).toEqual(['w@node-0000']);
    cluster.crash(nodes[0].node);
    await cluster.run(FAILURE_TIMEOUT_MS);
    expect(workersOf(nodes[2])).toEqual(['w@node-0001']);
    nodes[1].registry.unregister('default', 'w');
    await cluster.run(500);
    expect(workersOf(nodes[2])).toEqual([]);
  });
});

describe('workers of one store that do not serve the same data', () => {
  const mismatch = (nodeId: string, workerId = 'w1') =>
    expect.objectContaining({ code: 'store_mismatch', storeId: 'default', workerId, nodeId });
  const refusal = expect.objectContaining({ code: 'invalid_argument', reason: 'store_mismatch' });
  const other = (index: number, workerId = 'w1', more: Partial<StoreWorker> = {}): StoreWorker =>
    worker(nameOf(index), workerId, { storeUuid: OTHER_UUID, registeredAt: 2, ...more });

  test('are refused by every node that knows the live ones', async () => {
    const { cluster, nodes } = await registriesOf(3);
    nodes[0].registry.register(worker(nameOf(0), 'w0'));
    await cluster.run(500);
    // However early it has registered elsewhere: the live one stays.
    expect(() => nodes[1].registry.register(other(1, 'w1', { registeredAt: 0 }))).toThrow(refusal);
    const { storeUuid: _, ...unnamed } = other(1);
    expect(() => nodes[1].registry.register(unnamed)).toThrow(refusal);
    await cluster.run(500);
    for (const node of nodes) expect(workersOf(node)).toEqual(['w0@node-0000']);
  });

  test('are refused under the name of a live one, too [T28]', async () => {
    const { cluster, nodes } = await registriesOf(3);
    nodes[0].registry.register(worker(nameOf(0), 'w1'));
    await cluster.run(500);
    expect(() => nodes[1].registry.register(other(1))).toThrow(refusal);
    await cluster.run(500);
    for (const node of nodes) expect(workersOf(node)).toEqual(['w1@node-0000']);
  });

  test('are accepted once those that they did not fit are gone', async () => {
    const { cluster, nodes } = await registriesOf(3);
    nodes[0].registry.register(worker(nameOf(0), 'w0'));
    await cluster.run(500);
    expect(() => nodes[1].registry.register(other(1))).toThrow(refusal);
    nodes[0].registry.unregister('default', 'w0');
    await cluster.run(500);
    nodes[1].registry.register(other(1));
    await cluster.run(500);
    for (const node of nodes) {
      expect(workersOf(node)).toEqual(['w1@node-0001']);
      expect(node.shared.problems()).toEqual([]);
    }
  });

  test.each([
    ['the first stays', 1, 2, 'w0@node-0000', 'w1@node-0001'],
    ['the first stays, whoever hears of it', 2, 1, 'w1@node-0001', 'w0@node-0000'],
    ['of two in the same millisecond the lower uuid stays', 1, 1, 'w0@node-0000', 'w1@node-0001'],
  ])(
    'that register before their nodes know of each other: %s on all nodes, the other is unregistered and told',
    async (_, first, second, stays, goes) => {
      const { cluster, nodes } = await registriesOf(3);
      nodes[0].registry.register(worker(nameOf(0), 'w0', { registeredAt: first }));
      nodes[1].registry.register(other(1, 'w1', { registeredAt: second }));
      await cluster.run(1_000);
      for (const node of nodes) {
        expect(workersOf(node)).toEqual([stays]);
        expect(node.shared.problems(), 'nobody offers it any more').toEqual([]);
      }
      const loser = nodes.find(({ node }) => goes.endsWith(node.nodeId));
      expect(loser?.refused).toEqual([goes]);
      expect(await call(nodes[2])).toMatch(stays.slice(0, 2));
    },
  );

  test('both go on while their nodes are apart, and one stays once they meet', async () => {
    const { cluster, nodes } = await registriesOf(4);
    const left = (node: Endpoint): boolean => node.nodeId < nameOf(2);
    cluster.partition((from, to) => left(from) === left(to));
    await cluster.run(2 * FAILURE_TIMEOUT_MS);
    nodes[1].registry.register(worker(nameOf(1), 'w', { registeredAt: 5 }));
    nodes[2].registry.register(other(2, 'w', { registeredAt: 4 }));
    await cluster.run(500);
    expect(nodes.map(workersOf)).toEqual([
      ['w@node-0001'],
      ['w@node-0001'],
      ['w@node-0002'],
      ['w@node-0002'],
    ]);
    const picked = nodes[0].registry.pick('default');
    cluster.heal();
    await cluster.until(() => cluster.agrees(), 15_000, 'one cluster again');
    await cluster.run(1_000);
    for (const node of nodes) expect(workersOf(node)).toEqual(['w@node-0002']);
    expect(nodes[1].refused).toEqual(['w@node-0001']);
    // Whoever had picked the former one does not reach it any more.
    await expect(picked.call('getVersion', { storeId: 'default', streamId: 's' })).rejects.toMatchObject({
      code: 'unavailable',
    });
  });

  test('are told while another node offers them', async () => {
    const { cluster, nodes } = await registriesOf(2);
    // A node of an earlier version goes on to offer its own.
    nodes[1].shared.close();
    nodes[1].node.membership.announce([other(1)]);
    await cluster.run(500);
    expect(workersOf(nodes[0])).toEqual(['w1@node-0001']);
    nodes[0].registry.unregister('default', 'w1');
    nodes[0].registry.register(worker(nameOf(0), 'w0'));
    await cluster.run(500);
    expect(workersOf(nodes[0])).toEqual(['w0@node-0000']);
    expect(nodes[0].shared.problems()).toEqual([mismatch('node-0001')]);
    expect(nodes[0].refused).toEqual(['w1@node-0001']);
    nodes[1].node.membership.announce([]);
    await cluster.run(500);
    expect(nodes[0].shared.problems()).toEqual([]);
  });

  test('a store that a node serves by itself gives way as a whole: the node then serves neither', async () => {
    const cluster = new SimulatedCluster({ seed: 5 });
    clusters.push(cluster);
    await cluster.startMany(3);
    await cluster.until(() => cluster.agrees(), 10_000, 'all are members');
    const own = new Set(['default']);
    const [a, b, c] = cluster.live.map((node, index) => {
      const registry = join(node, 'round-robin', index === 2 ? new Set() : own);
      registry.registry.declare('default');
      return registry;
    }) as [RegistryNode, RegistryNode, RegistryNode];
    a.registry.register(worker(nameOf(0), 'w0'));
    b.registry.register(other(1));
    await cluster.run(1_000);
    expect([a, b, c].map(workersOf)).toEqual([['w0@node-0000'], [], ['w0@node-0000']]);
    expect(() => b.registry.pick('default')).toThrow(expect.objectContaining({ code: 'no_workers' }));
    expect(b.shared.problems()).toEqual([mismatch('node-0001')]);

    // Its data does not come back by itself under a name that the others know for other data.
    a.registry.unregister('default', 'w0');
    await cluster.run(1_000);
    expect([a, b, c].map(workersOf)).toEqual([[], [], []]);
    c.registry.register(other(2, 'w2'));
    await cluster.run(1_000);
    expect([a, b, c].map(workersOf), 'other workers of its data do').toEqual(
      Array.from({ length: 3 }, () => ['w2@node-0002']),
    );
  });
});

test('closing takes the workers of the other nodes away', async () => {
  const { cluster, nodes } = await registriesOf(2);
  nodes[0].registry.register(worker(nameOf(0), 'w0'));
  nodes[1].registry.register(worker(nameOf(1), 'w1'));
  await cluster.run(500);
  nodes[0].shared.close();
  expect(workersOf(nodes[0])).toEqual(['w0@node-0000']);
});
