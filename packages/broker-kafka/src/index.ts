// The channels over Kafka
export {
  createKafkaBroker,
  type KafkaBroker,
  type KafkaBrokerComponents,
  type KafkaStats,
} from './kafka-broker.ts';
export type { KafkaLog, KafkaLogOptions, KafkaLogRecord } from './log/kafka-log.ts';
export type { KafkaBrokerOptions } from './options.ts';
export type { Accept } from './tail/interpreter.ts';
