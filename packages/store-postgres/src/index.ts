export type { PostgresStoreOptions } from './options.ts';
export { openPostgresStore, type PostgresStore } from './postgres-store.ts';
