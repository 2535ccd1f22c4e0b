import type { Membership, PeerAddress, Registry } from '@esdb-gater/types';

export interface SubscriptionOwnerComponents {
  readonly registry: Pick<Registry, 'states'>;
  readonly members: () => ReturnType<Membership['members']>;
}

/**
 * Returns the node that serves the persistent subscriptions of a store: the one with the lowest id among those whose own
 * engine has the store, else among those that its workers are connected to. Undefined for this node, and for a store
 * without workers. Nodes with the same view of the cluster agree.
 */
export function subscriptionOwner(
  { registry, members }: SubscriptionOwnerComponents,
  nodeId: string,
  storeId: string,
): Required<PeerAddress> | undefined {
  const workers = registry.states(storeId);
  if (workers.length === 0) return undefined;
  const keeping = workers.filter(({ keepsSubscriptions }) => keepsSubscriptions === true);
  const candidates = (keeping.length > 0 ? keeping : workers).map((worker) => worker.nodeId);
  const owner = candidates.reduce((one, other) => (other < one ? other : one));
  if (owner === nodeId) return undefined;
  const member = members().find((one) => one.nodeId === owner);
  return member && { nodeId: owner, url: member.url };
}
