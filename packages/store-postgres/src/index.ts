export { openPostgresCopy } from './copy/postgres-copy.ts';
export type { PostgresStoreOptions } from './options.ts';
export { openPostgresStore, type PostgresStore } from './postgres-store.ts';
