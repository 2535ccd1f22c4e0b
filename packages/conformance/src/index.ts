// Event stores
export type { BrokerSuiteOptions, BrokerSupports, OpenedBroker } from './broker/harness.ts';
// Brokers
export { brokerSuite } from './broker/suite.ts';
// Discovery of nodes
export type { DiscoverySuiteOptions, DiscoverySupports, OpenedCluster } from './discovery/harness.ts';
export { discoverySuite } from './discovery/suite.ts';
// Gateways and workers, from outside
export type { GatewaySuiteOptions } from './gateway/harness.ts';
export { gatewaySuite } from './gateway/suite.ts';
export type { StoreSuiteOptions, StoreSupports } from './store/harness.ts';
export { storeSuite } from './store/suite.ts';
// Persistent subscriptions
export type { OpenedSubscriptions, SubscriptionSuiteOptions } from './subscriptions/harness.ts';
export { subscriptionSuite } from './subscriptions/suite.ts';
export type { SuiteCase } from './suite-case.ts';
export type { StartedWorker, WorkerSuiteOptions } from './worker/suite.ts';
export { workerSuite } from './worker/suite.ts';
