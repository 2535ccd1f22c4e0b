export { CONFIG_KEYS, type ConfigKey } from './config/keys.ts';
export { type LoadConfigOptions, loadConfig } from './config/load-config.ts';
export type {
  CapabilityMode,
  ChannelConfig,
  GatewayConfig,
  StoreConfig,
  StoreEngine,
} from './config/types.ts';
export { type GatewayComponents, type RunningGateway, startGateway } from './start-gateway.ts';
