// The channels over Kafka

export type { KafkaBrokerOptions } from './client/options.ts';
export type { Accept } from './consumer/record-decoder.ts';
export {
  createKafkaCheckpoints,
  type KafkaCheckpoints,
  type KafkaCheckpointsOptions,
} from './coordination/checkpoints.ts';
export type { KafkaLog, KafkaLogOptions, KafkaLogRecord } from './coordination/compacted-log.ts';
// One node at a time
export type { KafkaLease } from './coordination/lease.ts';
export {
  createKafkaLeases,
  type KafkaLeases,
  type KafkaLeasesComponents,
  type KafkaLeasesOptions,
} from './coordination/leases.ts';
export {
  createKafkaBroker,
  type KafkaBroker,
  type KafkaBrokerComponents,
  type KafkaStats,
} from './kafka-broker.ts';
