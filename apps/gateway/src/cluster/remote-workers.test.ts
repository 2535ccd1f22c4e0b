import { createFakeClock } from '@esdb-gater/primitives/testing';
import { createRegistry, type RemoteWorker } from '@esdb-gater/registry';
import type { AnnouncedWorker, MemberInfo } from '@esdb-gater/types';
import { expect, test } from 'vitest';
import { createRemoteWorkers } from './remote-workers.ts';

const NODE: MemberInfo = { nodeId: 'b', url: 'ws://b/v1/ws', incarnation: 1, status: 'alive', self: false };

const announced = (storeId: string, workerId = 'w'): AnnouncedWorker => ({
  storeId,
  storeUuid: 'uuid-1',
  workerId,
  incarnation: 1,
  registeredAt: 0,
  methods: ['getVersion'],
  keepsSubscriptions: true,
});

function open() {
  const calls: unknown[][] = [];
  const registered: RemoteWorker[] = [];
  const registry = createRegistry({}, { nodeId: 'a' });
  const workers = createRemoteWorkers({
    network: {
      call: async (node, method, params) => {
        calls.push([node.nodeId, method, params]);
        return { version: 4 };
      },
    },
    registry,
    traces: { remember: () => undefined },
    clock: createFakeClock(),
    onWorker: (worker) => registered.push(worker),
  });
  return { calls, registered, registry, workers };
}

const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

test('a call names the worker, and goes to its node', async () => {
  const { calls, workers } = open();
  const worker = workers.connect(NODE, announced('orders'));
  expect(worker).toMatchObject({ nodeId: 'b', storeUuid: 'uuid-1', keepsSubscriptions: true });
  expect(worker.methods).not.toContain('saveSubscription');
  expect(await worker.call('getVersion', { storeId: 'orders', streamId: 's' }, { deadlineMs: 100 })).toEqual({
    version: 4,
  });
  expect(calls).toEqual([
    [
      'b',
      'getVersion',
      { storeId: 'orders', streamId: 's', deadlineMs: 100, workerId: 'w', storeUuid: 'uuid-1' },
    ],
  ]);
});

test('a worker that the registry refuses is not passed on', async () => {
  const { registered, registry, workers } = open();
  registry.register(workers.connect(NODE, announced('orders')));
  workers.connect(NODE, announced('users'));
  await nextTurn();
  expect(registered.map(({ storeId }) => storeId)).toEqual(['orders']);
});

test('commits reach the workers of their node and store, and a closed link tells all of its node', () => {
  const { workers } = open();
  const told: (readonly [storeId: string, position: number])[] = [];
  const other: MemberInfo = { ...NODE, nodeId: 'c', url: 'ws://c/v1/ws' };
  for (const [node, storeId] of [
    [NODE, 'orders'],
    [NODE, 'users'],
    [other, 'orders'],
  ] as const) {
    const worker = workers.connect(node, announced(storeId));
    worker.onCommitted((position) => told.push([`${storeId}@${node.nodeId}`, position]));
  }
  workers.committed('b', 'orders', 5);
  expect(told.splice(0)).toEqual([['orders@b', 5]]);
  workers.linkClosed('b');
  expect(told.splice(0)).toEqual([
    ['orders@b', 0],
    ['users@b', 0],
  ]);
  workers.keep('b', [announced('users')]);
  workers.committed('b', 'orders', 6);
  workers.committed('b', 'users', 6);
  expect(told).toEqual([['users@b', 6]]);
});
