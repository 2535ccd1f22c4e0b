import type { ChannelName } from '@esdb-gater/types';
import type { Static } from 'typebox';
import type { CONFIG_SCHEMA } from './schema.ts';

type DeepReadonly<T> = T extends readonly (infer Item)[]
  ? readonly DeepReadonly<Item>[]
  : T extends object
    ? { readonly [K in keyof T]: DeepReadonly<T[K]> }
    : T;

/** Every setting with its value from the sources, or its default. */
export type Settings = DeepReadonly<Static<typeof CONFIG_SCHEMA>>;

type SecuritySettings = Settings['security'];

/** Whether calls need a capability token: never, only where one is given, or always. */
export type CapabilityMode = NonNullable<SecuritySettings['capabilities']>;

/** The whole configuration, complete and frozen. Keys, defaults and meanings are those of the README's table. */
export interface GatewayConfig extends Settings {
  readonly security: SecuritySettings & { readonly capabilities: CapabilityMode };
}

/** One entry of `stores`. */
export type StoreConfig = Settings['stores'][string];

export type StoreEngine = StoreConfig['engine'];

export type ChannelConfig = Settings['channels'][ChannelName];
