// Brokers
export type { BrokerCapabilities, BrokerCase, BrokerSuiteOptions, OpenedBroker } from './broker/harness.ts';
export { brokerSuite } from './broker/suite.ts';
// Event stores
export type { StoreCase, StoreSuiteOptions } from './store/harness.ts';
export { storeSuite } from './store/suite.ts';
