import { GaterError, type PeerAddress, type Subscriptions } from '@esdb-gater/types';
import type { PeerLink } from './peer-link.ts';
import type { PeerNetwork } from './peer-network.ts';
import { perLink } from './per-link.ts';
import { RemoteConsumer } from './remote-consumer.ts';
import {
  type ConsumerEnded,
  type ConsumerEvent,
  type Operation,
  type OperationParams,
  SUBSCRIPTION_METHOD,
} from './subscription-calls.ts';

export interface ClusterSubscriptionsComponents {
  /** Those of this node. */
  readonly local: Subscriptions;
  /**
   * Returns the node that serves the subscriptions of a store; undefined for this one, and for a store that has no
   * workers.
   */
  readonly ownerOf: (storeId: string) => Required<PeerAddress> | undefined;
  /** Must be called before this node serves the subscriptions of a store. Ends those of other nodes. */
  readonly takeOver: (storeId: string) => Promise<void>;
  readonly network: Pick<PeerNetwork, 'open'>;
}

/** The persistent subscriptions of all stores of the cluster. */
export interface ClusterSubscriptions {
  readonly subscriptions: Subscriptions;
  /** Takes an event of another node for a consumer of this one. */
  event(link: PeerLink, event: ConsumerEvent): void;
  ended(link: PeerLink, notice: ConsumerEnded): void;
}

/** How long the other node may take. */
const CALL_TIMEOUT_MS = 10_000;

export function createClusterSubscriptions(components: ClusterSubscriptionsComponents): ClusterSubscriptions {
  const { local, ownerOf, takeOver, network } = components;
  const links = perLink<RemoteConsumer>((consumers, link) => {
    const error = new GaterError('unavailable', `the connection to node ${link.node.nodeId} is lost`);
    for (const consumer of consumers) consumer.ended(error);
  });

  /** Runs an operation on the node that serves the store. */
  async function run<O extends Operation, T>(
    operation: O,
    params: OperationParams<O>,
    here: () => Promise<T>,
    maker?: string,
  ): Promise<T> {
    const owner = ownerOf(params.storeId);
    if (owner === undefined) {
      await takeOver(params.storeId);
      return here();
    }
    const link = await network.open(owner);
    const call = { operation, params, ...(maker === undefined ? {} : { maker }) };
    const result = await link.call(SUBSCRIPTION_METHOD, call, { timeoutMs: CALL_TIMEOUT_MS });
    return (result as { readonly value: T }).value;
  }

  return {
    subscriptions: {
      save: (params, maker) => run('save', params, () => local.save(params, maker), maker),
      async join(params, consumer, maker = 'process') {
        const owner = ownerOf(params.storeId);
        if (owner === undefined) {
          await takeOver(params.storeId);
          return local.join(params, consumer, maker);
        }
        const link = await network.open(owner);
        const consumers = links.of(link);
        const id = crypto.randomUUID();
        const joined = new RemoteConsumer(id, link, params, consumer, () => consumers.delete(id));
        consumers.set(id, joined);
        await joined.join(maker);
        return joined;
      },
      remove: (params) => run('remove', params, () => local.remove(params)),
      list: (storeId) => run('list', { storeId }, () => local.list(storeId)),
      get: (params) => run('get', params, () => local.get(params)),
      listParked: (params) => run('listParked', params, () => local.listParked(params)),
      replayParked: (params) => run('replayParked', params, () => local.replayParked(params)),
      reset: (params) => run('reset', params, () => local.reset(params)),
      stats: () => local.stats(),
      problems: () => local.problems(),
      async close() {
        const error = new GaterError('unavailable', 'the subscriptions are closed');
        for (const consumers of links.values()) {
          for (const consumer of [...consumers.values()]) consumer.ended(error);
        }
        await local.close();
      },
    },
    event: (link, event) => links.get(link, event.consumerId)?.event(event),
    ended(link, { consumerId, code, message }) {
      links.get(link, consumerId)?.ended(GaterError.fromData(message, { code }));
    },
  };
}
