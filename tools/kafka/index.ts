export { freePorts } from './ports.ts';
export { type RunningKafka, startKafka } from './start-kafka.ts';
export { kafkaUnavailable } from './test-support.ts';
