import type { MemberInfo, WorkerState } from '@esdb-gater/types';
import { expect, test } from 'vitest';
import { subscriptionOwner } from './subscription-owner.ts';

const MEMBERS = ['a', 'b', 'c'].map(
  (nodeId): MemberInfo => ({
    nodeId,
    url: `ws://${nodeId}/v1/ws`,
    incarnation: 1,
    status: 'alive',
    self: nodeId === 'b',
  }),
);

/** The owner as node b sees it. Each worker is named by its node, with `*` when its node has the store itself. */
function ownerOf(...workers: string[]): string | undefined {
  const states = workers.map(
    (name): WorkerState => ({
      storeId: 'orders',
      workerId: name,
      nodeId: name[0] as string,
      incarnation: 1,
      registeredAt: 0,
      methods: [],
      ...(name.endsWith('*') ? { keepsSubscriptions: true } : {}),
      live: true,
      failures: 0,
      ejectedForMs: 0,
      probing: false,
    }),
  );
  return subscriptionOwner({ registry: { states: () => states }, members: () => MEMBERS }, 'b', 'orders')
    ?.nodeId;
}

test.each([
  ['the node with the lowest id', ['c', 'a'], 'a'],
  ['a node whose own engine has the store, before all others', ['a', 'c*'], 'c'],
  ['the lowest of several that have it themselves', ['a', 'c*', 'a*'], 'a'],
  ['this node', ['b', 'c'], undefined],
  ['this node, when only its engine has the store', ['a', 'b*'], undefined],
  ['nobody else without workers', [], undefined],
  ['nobody else when the owner is not a member any more', ['A'], undefined],
])('the subscriptions of a store are served by %s', (_, workers, owner) => {
  expect(ownerOf(...workers)).toBe(owner);
});
