// The channels over Kafka
export {
  createKafkaBroker,
  type KafkaBroker,
  type KafkaBrokerComponents,
  type KafkaStats,
} from './kafka-broker.ts';
export {
  createKafkaCheckpoints,
  type KafkaCheckpoints,
  type KafkaCheckpointsOptions,
} from './lease/kafka-checkpoints.ts';
// One node at a time
export type { KafkaLease } from './lease/kafka-lease.ts';
export {
  createKafkaLeases,
  type KafkaLeases,
  type KafkaLeasesComponents,
  type KafkaLeasesOptions,
} from './lease/kafka-leases.ts';
export type { KafkaLog, KafkaLogOptions, KafkaLogRecord } from './log/kafka-log.ts';
export type { KafkaBrokerOptions } from './options.ts';
export type { Accept } from './tail/interpreter.ts';
