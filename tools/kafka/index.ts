export { ensureKafka } from './install.ts';
export { freePorts } from './ports.ts';
export { missingRequirement } from './requirements.ts';
export { type RunningBroker, type RunningKafka, type StartKafkaOptions, startKafka } from './start-kafka.ts';
export { kafkaUnavailable } from './test-support.ts';
