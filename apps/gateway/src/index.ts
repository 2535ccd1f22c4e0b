export { CONFIG_KEYS, type ConfigKey } from './config/keys.ts';
export { type LoadConfigOptions, loadConfig } from './config/load-config.ts';
export type {
  CapabilityMode,
  ChannelConfig,
  GatewayConfig,
  StoreConfig,
  StoreEngine,
} from './config/types.ts';
export { expressGateway } from './mount/express.ts';
export { type FastifyGatewayOptions, fastifyGateway } from './mount/fastify.ts';
export { honoGateway } from './mount/hono.ts';
export { type MountedGateway, type MountOptions, mountGateway } from './mount/mount-gateway.ts';
export type { ComposedGateway, GatewayComponents } from './run-gateway.ts';
export { type RunningGateway, startGateway } from './start-gateway.ts';
