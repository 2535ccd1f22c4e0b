export { createMulticastDiscovery } from './multicast-discovery.ts';
export type { MulticastDiscoveryComponents, MulticastDiscoveryOptions } from './options.ts';
