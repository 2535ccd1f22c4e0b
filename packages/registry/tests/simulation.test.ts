import type { AnnouncedWorker, MemberInfo, StoreWorker } from '@esdb-gater/types';
import { describe, expect, test } from 'vitest';
import { createClusterWorkers } from '../src/membership/cluster-workers.ts';
import { createRegistry } from '../src/registry.ts';
import { FAILURE_TIMEOUT_MS, nameOf, SimulatedCluster, workerOf } from './simulation/cluster.ts';
import type { Endpoint } from './simulation/network.ts';
import { FULL, NODES, simulate } from './simulation/simulate.ts';

/** A network that loses messages, and in which they overtake each other. */
const ROUGH = { delayMs: [1, 80], loss: 0.02 } as const;

/** How long nodes may take to agree after everything works again. */
const SETTLE_MS = 15_000;

async function started(cluster: SimulatedCluster, count = NODES): Promise<void> {
  await cluster.startMany(count);
  await cluster.until(() => cluster.agrees(), SETTLE_MS, 'all nodes are members');
}

function oneOf(cluster: SimulatedCluster): Endpoint {
  const { live } = cluster;
  return live[Math.floor(cluster.random() * live.length)] as Endpoint;
}

describe(`a simulated cluster of ${NODES} nodes`, () => {
  simulate('a dead node is gone from all others within the failure timeout', {}, async (cluster) => {
    await started(cluster);
    for (let round = 0; round < 5; round++) {
      cluster.crash(oneOf(cluster));
      await cluster.until(() => cluster.agrees(), FAILURE_TIMEOUT_MS, 'the dead node is gone');
    }
  });

  simulate(
    'a tenth of the nodes that die at once are gone within the failure timeout',
    {},
    async (cluster) => {
      await started(cluster);
      for (let count = 0; count < NODES / 10; count++) cluster.crash(oneOf(cluster));
      await cluster.until(() => cluster.agrees(), FAILURE_TIMEOUT_MS, 'the dead nodes are gone');
    },
  );

  simulate(
    'no ghost stays while nodes die, return and pause and messages are lost',
    ROUGH,
    async (cluster) => {
      await started(cluster);
      const dead: Endpoint[] = [];
      for (let round = 0; round < 30; round++) {
        const chance = cluster.random();
        if (chance < 0.4) {
          const node = oneOf(cluster);
          cluster.crash(node);
          dead.push(node);
        } else if (chance < 0.7) cluster.pause(oneOf(cluster), 500 + cluster.random() * 6_000);
        else {
          const back = dead.shift();
          if (back !== undefined) cluster.start(back.nodeId);
        }
        await cluster.run(400 + cluster.random() * 800);
        const awake = cluster.live.filter(
          ({ pausedUntilMs }) => cluster.nowMs - pausedUntilMs > FAILURE_TIMEOUT_MS,
        );
        expect(cluster.ghosts(awake)).toEqual([]);
      }
      await cluster.until(() => cluster.agrees(), SETTLE_MS, 'all agree');
    },
  );

  simulate('[F13] both sides of a partition go on, and agree once it heals', ROUGH, async (cluster) => {
    await started(cluster);
    const left = (node: Endpoint): boolean => node.nodeId < nameOf(NODES / 2);
    cluster.partition((from, to) => left(from) === left(to));
    const [one, other] = [cluster.live.filter(left), cluster.live.filter((node) => !left(node))];
    await cluster.until(
      () => cluster.agrees(one) && cluster.agrees(other),
      2 * FAILURE_TIMEOUT_MS,
      'two clusters',
    );
    await cluster.run(10_000);
    cluster.heal();
    await cluster.until(() => cluster.agrees(), SETTLE_MS, 'one cluster again');
  });

  simulate(
    '[F13] a node that is not heard is gone, and back once it is heard again',
    ROUGH,
    async (cluster) => {
      await started(cluster);
      const mute = oneOf(cluster);
      cluster.partition((from) => from !== mute);
      const others = cluster.live.filter((node) => node !== mute);
      await cluster.until(() => cluster.agrees(others), FAILURE_TIMEOUT_MS, 'the others are without it');
      await cluster.run(10_000);
      expect(cluster.agrees(others), 'it stays away').toBe(true);
      cluster.heal();
      await cluster.until(() => cluster.agrees(), SETTLE_MS, 'it is back');
    },
  );

  simulate('[F13] a node that hears nobody is gone, and back once it hears again', ROUGH, async (cluster) => {
    await started(cluster);
    const deaf = oneOf(cluster);
    cluster.partition((_, to) => to !== deaf);
    const others = cluster.live.filter((node) => node !== deaf);
    await cluster.until(() => cluster.agrees(others), FAILURE_TIMEOUT_MS, 'the others are without it');
    await cluster.run(10_000);
    expect(cluster.agrees(others), 'it stays away').toBe(true);
    cluster.heal();
    await cluster.until(() => cluster.agrees(), SETTLE_MS, 'it is back');
  });

  simulate('[F13] two nodes that cannot reach each other stay members', ROUGH, async (cluster) => {
    await started(cluster);
    const [one, other] = [cluster.node(0), cluster.node(1)];
    cluster.partition((from, to) => !(from === one && to === other));
    await cluster.run(10_000);
    expect(cluster.agrees()).toBe(true);
  });

  simulate('a node that leaves in order is gone at once', {}, async (cluster) => {
    await started(cluster);
    const node = oneOf(cluster);
    node.membership.leave();
    cluster.crash(node);
    await cluster.until(() => cluster.agrees(), 500, 'it is gone');
  });

  simulate('a process that pauses does not take the others for dead when it goes on', {}, async (cluster) => {
    await started(cluster);
    const node = oneOf(cluster);
    const downs: string[] = [];
    void (async () => {
      for await (const event of node.membership.watch())
        if (event.kind === 'down') downs.push(event.node.nodeId);
    })();
    cluster.pause(node, 20_000);
    await cluster.run(20_000);
    await cluster.until(() => cluster.agrees(), SETTLE_MS, 'it is back');
    expect(downs).toEqual([]);
  });

  simulate(
    'announced workers reach all nodes, also in a list that is too long for a message',
    ROUGH,
    async (cluster) => {
      await started(cluster);
      const [few, many] = [oneOf(cluster), oneOf(cluster)];
      few.membership.announce([workerOf('default', 'one')]);
      many.membership.announce(Array.from({ length: 500 }, (_, index) => workerOf(`store-${index}`, 'one')));
      const expected = new Map(
        [few, many].map(({ nodeId, membership }) => [nodeId, membership.workersOf(nodeId).length]),
      );
      const complete = ({ membership }: Endpoint): boolean =>
        [...expected].every(([nodeId, count]) => membership.workersOf(nodeId).length === count);
      await cluster.until(() => cluster.live.every(complete), FAILURE_TIMEOUT_MS, 'all know the workers');
    },
  );
});

describe('workers of a simulated cluster', () => {
  simulate(
    'get their share of calls from all nodes, within a tenth, while nodes come and go',
    {},
    async (cluster) => {
      await started(cluster, 100);
      const calls = new Map<string, number>();
      const join = (node: Endpoint): (() => void) => {
        const { nodeId, membership } = node;
        const registry = createRegistry({ random: cluster.random }, { nodeId, policy: 'round-robin' });
        const connect = (member: MemberInfo, announced: AnnouncedWorker): StoreWorker => ({
          ...announced,
          nodeId: member.nodeId,
          call: () => Promise.reject(new TypeError('not called')),
        });
        createClusterWorkers({ registry, membership, connect }, { nodeId });
        registry.register({ ...connect(membership.self, workerOf('default', nodeId)), nodeId });
        return () => {
          const { workerId } = registry.pick('default');
          calls.set(workerId, (calls.get(workerId) ?? 0) + 1);
        };
      };
      const pickers = new Map(cluster.live.map((node) => [node, join(node)]));
      await cluster.run(3_000);
      for (let round = 0; round < 5; round++) {
        if (round > 0) {
          const dead = oneOf(cluster);
          cluster.crash(dead);
          pickers.delete(dead);
          await cluster.run(FAILURE_TIMEOUT_MS);
        }
        calls.clear();
        // Few from each node, as by callers that come once: no node begins with the same worker as the others.
        for (let call = 0; call < 250; call++) for (const pick of pickers.values()) pick();
        expect(calls.size).toBe(pickers.size);
        for (const [workerId, count] of calls) {
          expect(Math.abs(count / 250 - 1), `share of ${workerId}`).toBeLessThanOrEqual(0.1);
        }
      }
    },
  );
});

describe('stores of one name in a simulated cluster', () => {
  simulate(
    'are never mixed in one registry, and are one on all nodes once all agree, whatever registers, leaves and is cut off [F13]',
    ROUGH,
    async (cluster) => {
      await started(cluster, 20);
      const pick = <T>(list: readonly T[]): T => list[Math.floor(cluster.random() * list.length)] as T;
      const connect = (node: MemberInfo, announced: AnnouncedWorker): StoreWorker => ({
        ...announced,
        nodeId: node.nodeId,
        call: () => Promise.reject(new TypeError('not called')),
      });
      const registries = cluster.live.map(({ nodeId, membership }) => {
        const registry = createRegistry({}, { nodeId });
        createClusterWorkers({ registry, membership, connect }, { nodeId });
        return { nodeId, registry };
      });
      const databases = ({ registry }: (typeof registries)[number]): unknown[] => [
        ...new Set(registry.workers('default').map(({ storeUuid }) => storeUuid)),
      ];
      for (let round = 0; round < 150; round++) {
        const { nodeId, registry } = pick(registries);
        const chance = cluster.random();
        if (chance < 0.5) {
          const worker = connect({ ...cluster.node(0).membership.self, nodeId }, workerOf('default', nodeId));
          const registeredAt = Math.floor(cluster.nowMs / 100);
          try {
            registry.register({
              ...worker,
              storeUuid: pick(['a', 'b', 'c']),
              registeredAt,
              incarnation: round,
            });
          } catch (error) {
            expect(error).toMatchObject({ code: 'invalid_argument', reason: 'store_mismatch' });
          }
        } else if (chance < 0.75) registry.unregister('default', nodeId);
        else if (chance < 0.85) {
          const side = new Map(cluster.live.map((node) => [node, cluster.random() < 0.5]));
          cluster.partition((from, to) => side.get(from) === side.get(to));
        } else cluster.heal();
        for (let step = 0; step < 10; step++) {
          await cluster.run(100);
          for (const one of registries) expect(databases(one).length).toBeLessThanOrEqual(1);
        }
      }
      cluster.heal();
      await cluster.until(() => cluster.agrees(), SETTLE_MS, 'one cluster again');
      await cluster.run(5_000);
      const [first, ...others] = registries.map((one) => ({
        databases: databases(one),
        workers: one.registry
          .workers('default')
          .map(({ workerId, nodeId: at }) => `${workerId}@${at}`)
          .sort(),
      }));
      for (const other of others) expect(other).toEqual(first);
    },
  );
});

/** Returns how many messages and bytes a node sends in a second, on average and at most. */
async function traffic(count: number): Promise<{ messages: number; most: number; bytes: number }> {
  const cluster = new SimulatedCluster({ seed: 1 });
  await started(cluster, count);
  for (const node of cluster.live) node.membership.announce([workerOf('default', node.nodeId)]);
  await cluster.run(5_000);
  for (const node of cluster.live) {
    node.messages = 0;
    node.bytes = 0;
  }
  cluster.network.countsBytes = true;
  await cluster.run(10_000);
  const sum = (member: 'messages' | 'bytes'): number =>
    cluster.live.reduce((total, node) => total + node[member], 0);
  const most = Math.max(...cluster.live.map(({ messages }) => messages)) / 10;
  const result = { messages: sum('messages') / count / 10, most, bytes: sum('bytes') / count / 10 };
  cluster.close();
  return result;
}

test('the traffic of a node does not grow with the cluster', { timeout: 600_000 }, async () => {
  const sizes = FULL ? [10, 100, 1_000] : [10, 100];
  for (const size of sizes) {
    const { messages, most, bytes } = await traffic(size);
    expect(messages, `messages per second of ${size} nodes`).toBeLessThan(17);
    expect(most).toBeLessThan(25);
    expect(bytes, `bytes per second of ${size} nodes`).toBeLessThan(3_000);
  }
});
