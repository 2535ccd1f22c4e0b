import { PEER_NOTIFICATIONS } from '@esdb-gater/protocol';
import {
  type Clock,
  GaterError,
  invalidArgument,
  type JoinedConsumer,
  type SubscriptionConsumer,
  type Subscriptions,
} from '@esdb-gater/types';
import type { PeerLink } from './peer-link.ts';
import { perLink } from './per-link.ts';
import { type ConsumerReady, isOperation, OPERATIONS, type SubscriptionCall } from './subscription-calls.ts';

export interface ConsumerServerComponents {
  /** Those of this node. */
  readonly subscriptions: Subscriptions;
  /** Whether this node serves the subscriptions of a store. */
  readonly serves: (storeId: string) => boolean;
  /** Ends the subscriptions of a store, which another node serves from now on. */
  readonly release: (storeId: string, link: PeerLink) => Promise<void>;
  readonly clock: Clock;
}

/** Serves the persistent subscriptions of this node's stores to consumers that are connected to other nodes. */
export interface ConsumerServer {
  handle(link: PeerLink, call: SubscriptionCall): Promise<unknown>;
  ready(link: PeerLink, notice: ConsumerReady): void;
}

/** A consumer of another node. */
interface Served {
  joining: Promise<JoinedConsumer>;
  isReady: boolean;
}

/** Unsent bytes of a link at which events wait. */
const MAX_UNSENT_BYTES = 1_048_576;

/** How soon events go on once the other node has read. */
const DRAIN_MS = 20;

/** Consumers of one link. */
const MAX_CONSUMERS = 20_000;

export function createConsumerServer(components: ConsumerServerComponents): ConsumerServer {
  const { subscriptions, serves, release, clock } = components;
  const links = perLink<Served>((served) => {
    for (const { joining } of served) void joining.then((joined) => joined.leave(true), noop);
  });
  const waiting = new Set<PeerLink>();

  function drainLater(link: PeerLink): void {
    if (waiting.has(link)) return;
    waiting.add(link);
    const drain = (): void => {
      waiting.delete(link);
      for (const { joining } of links.of(link).values())
        void joining.then((joined) => joined.drained(), noop);
    };
    clock.setTimer(drain, DRAIN_MS, { unref: true });
  }

  function check(storeId: string): void {
    if (serves(storeId)) return;
    throw new GaterError(
      'unavailable',
      `the subscriptions of store ${storeId} are served by another node now`,
    );
  }

  async function join(
    link: PeerLink,
    { consumerId, params, maker }: Extract<SubscriptionCall, { readonly operation: 'join' }>,
  ): Promise<unknown> {
    const consumers = links.of(link);
    if (consumers.has(consumerId)) throw invalidArgument('consumer', 'a consumer joins once');
    if (consumers.size >= MAX_CONSUMERS) {
      throw new GaterError('overloaded', `a node may have ${MAX_CONSUMERS} consumers on another`);
    }
    const consumer: SubscriptionConsumer = {
      isReady() {
        if (!served.isReady) return false;
        if (link.bufferedBytes() <= MAX_UNSENT_BYTES) return true;
        drainLater(link);
        return false;
      },
      deliver: ({ eventText, attempt }) =>
        link.send(PEER_NOTIFICATIONS.consumerEvent, { consumerId, eventText, attempt }),
      ended({ code, message }) {
        consumers.delete(consumerId);
        letGo();
        link.send(PEER_NOTIFICATIONS.consumerEnded, { consumerId, code, message });
      },
    };
    const served: Served = { joining: subscriptions.join(params, consumer, maker), isReady: true };
    consumers.set(consumerId, served);
    const letGo = link.hold();
    try {
      const joined = await served.joining;
      served.joining = Promise.resolve({
        ...joined,
        ack: (one) => joined.ack(one),
        nack: (one) => joined.nack(one),
        drained: () => joined.drained(),
        leave(lost) {
          letGo();
          joined.leave(lost);
        },
      });
      return { subscription: joined.subscription };
    } catch (error) {
      consumers.delete(consumerId);
      letGo();
      throw error;
    }
  }

  return {
    async handle(link, call) {
      switch (call.operation) {
        case 'join':
          check(call.params.storeId);
          return join(link, call);
        case 'ack':
        case 'nack': {
          const joined = await links.of(link).get(call.consumerId)?.joining;
          if (joined === undefined) throw new GaterError('unavailable', 'the consumer has ended');
          const checkpoint = call.operation === 'ack' ? joined.ack(call.params) : joined.nack(call.params);
          return { value: await checkpoint };
        }
        case 'leave': {
          const served = links.of(link).get(call.consumerId);
          links.of(link).delete(call.consumerId);
          (await served?.joining.catch(noop))?.leave(call.lost);
          return {};
        }
        case 'release':
          await release(call.storeId, link);
          return {};
        default: {
          const { operation, params, maker = `node ${link.node.nodeId}` } = call;
          if (!isOperation(operation)) throw invalidArgument('operation', 'the operation is not known');
          check((params as { readonly storeId: string }).storeId);
          return { value: await OPERATIONS[operation](subscriptions, params as never, maker) };
        }
      }
    },
    ready(link, { consumerId, ready }) {
      const served = links.get(link, consumerId);
      if (served === undefined) return;
      served.isReady = ready;
      if (ready) void served.joining.then((joined) => joined.drained(), noop);
    },
  };
}

function noop(): undefined {}
