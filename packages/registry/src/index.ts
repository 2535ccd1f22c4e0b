// Users

// Health
export { type ClusterInfoOptions, describeCluster } from './cluster-info.ts';
export { countLiveWorkers, overallHealth, probeStores, type StoresHealth } from './health.ts';
// Nodes
export {
  type ClusterWorkers,
  type ClusterWorkersComponents,
  type ClusterWorkersOptions,
  createClusterWorkers,
  type WorkerProblem,
} from './membership/cluster-workers.ts';
export { createMembership } from './membership/membership.ts';
export type { MembershipComponents, MembershipOptions } from './membership/options.ts';
export { createStaticDiscovery, type StaticDiscoveryOptions } from './membership/static-discovery.ts';
export type { RegistryComponents, RegistryOptions, RegistryPolicy } from './options.ts';
export { createRegistry } from './registry.ts';
// Who connects workers of other processes
export {
  createRemoteWorker,
  REQUIRED_METHODS,
  type RemoteWorker,
  type RemoteWorkerOptions,
} from './remote-worker.ts';
export {
  createStoreCaller,
  type StoreCaller,
  type StoreCallerComponents,
  type StoreCallerOptions,
  type StoreCallOptions,
} from './store-caller.ts';
export type { StoreCallMethod } from './worker-request.ts';
