// Users
export type { RegistryComponents, RegistryOptions, RegistryPolicy } from './options.ts';
export { createRegistry } from './registry.ts';
// Who connects workers of other processes
export {
  createRemoteWorker,
  REQUIRED_METHODS,
  type RemoteWorker,
  type RemoteWorkerOptions,
} from './remote-worker.ts';
