// Event stores
export type { StoreCase, StoreSuiteOptions } from './store/harness.ts';
export { storeSuite } from './store/suite.ts';
