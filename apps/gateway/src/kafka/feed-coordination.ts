import {
  createKafkaCheckpoints,
  createKafkaLeases,
  type KafkaBroker,
  type KafkaLease,
} from '@esdb-gater/broker-kafka';
import type { Clock, FeedCheckpoint, Logger } from '@esdb-gater/types';

/** What nodes that share a Kafka agree on, so that one at a time feeds a store. */
export interface FeedCoordination {
  /** The right to feed the store. */
  lease(store: FedIdentity): KafkaLease;
  /** Where the feed of a store stands that cannot keep it itself, the same on every node. */
  checkpoint(store: FedIdentity): FeedCheckpoint;
  /** Gives up every lease. */
  close(): Promise<void>;
}

/** What tells a store from another. Without `storeUuid` all that go by that name count as one. */
export interface FedIdentity {
  readonly storeId: string;
  readonly storeUuid?: string | undefined;
}

export interface FeedCoordinationComponents {
  readonly kafka: Pick<KafkaBroker, 'openLog'>;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface FeedCoordinationOptions {
  readonly nodeId: string;
  /** `kafka.topicPrefix`: whoever feeds other topics has leases and checkpoints of his own. */
  readonly topicPrefix: string;
}

export function createFeedCoordination(
  { kafka, clock, logger }: FeedCoordinationComponents,
  { nodeId, topicPrefix }: FeedCoordinationOptions,
): FeedCoordination {
  const leases = createKafkaLeases({ broker: kafka, clock, logger }, { nodeId });
  const checkpoints = createKafkaCheckpoints({ broker: kafka });
  const nameOf = ({ storeId, storeUuid }: FedIdentity): string =>
    `${topicPrefix}events/${storeUuid ?? `id:${storeId}`}`;
  return {
    lease: (store) => leases.acquire(nameOf(store)),
    checkpoint: (store) => checkpoints.of(nameOf(store)),
    async close() {
      await leases.close();
      checkpoints.close();
    },
  };
}
