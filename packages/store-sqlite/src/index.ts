export { backupStore, restoreStore } from './backup.ts';
export type { CopyOptions, CopyProgress, StoreContents } from './backup-file.ts';
export { openSqliteCopySource } from './copy-source.ts';
export type { SqliteStoreOptions } from './options.ts';
export { openSqliteStore, type SqliteStore } from './sqlite-store.ts';
