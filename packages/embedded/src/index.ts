// Users
export type { EmbeddedStore, MemoryStoreConfig, PostgresStoreConfig, SqliteStoreConfig } from './engines.ts';
export { type EmbeddedGater, type EmbeddedOptions, openGater } from './open-gater.ts';
