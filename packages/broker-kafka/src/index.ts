// The channels over Kafka

export type { KafkaBrokerOptions } from './client/options.ts';
export type { Accept } from './consumer/record-decoder.ts';
// Coordination of nodes through Kafka
export {
  createKafkaCheckpoints,
  type KafkaCheckpoints,
  type KafkaCheckpointsOptions,
} from './coordination/checkpoints.ts';
export type { KafkaLog, KafkaLogOptions, KafkaLogRecord } from './coordination/compacted-log.ts';
export {
  createKafkaDiscovery,
  type KafkaDiscoveryComponents,
  type KafkaDiscoveryOptions,
} from './coordination/discovery.ts';
export {
  createKafkaLeases,
  type KafkaLease,
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
