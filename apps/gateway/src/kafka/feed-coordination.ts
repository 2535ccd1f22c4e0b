import {
  createKafkaCheckpoints,
  createKafkaLeases,
  type KafkaBroker,
  type KafkaLease,
} from '@esdb-gater/broker-kafka';
import type { Clock, FeedCheckpoint, Logger } from '@esdb-gater/types';

/** Coordinates nodes that share a Kafka, so that one node at a time feeds a store. */
export interface FeedCoordination {
  /** The right to feed the store. */
  lease(store: FedIdentity): KafkaLease;
  /** The shared checkpoints of feeds for stores that cannot save them. */
  checkpoint(store: FedIdentity): FeedCheckpoint;
  /** Releases every lease. */
  close(): Promise<void>;
}

/** The identity of a store. Without `storeUuid` all that go by that name count as one. */
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
  /** `kafka.topicPrefix`: feeds to other topics have their own leases and checkpoints. */
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
