export { freePorts } from './ports.ts';
export type { KafkaSecurity } from './secure.ts';
export { type RunningKafka, startKafka } from './start-kafka.ts';
export { kafkaUnavailable } from './test-support.ts';
