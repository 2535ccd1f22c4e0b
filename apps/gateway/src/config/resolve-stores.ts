import { configError } from './config-error.ts';
import { readSecret } from './secret-files.ts';
import type { GatewayConfig, StoreConfig } from './types.ts';

/**
 * Checks which settings an engine has, and replaces the file of a connection string by the string.
 *
 * @throws `invalid_argument` (reason `configuration`) that names the key, never the secret
 */
export function resolveStores(stores: GatewayConfig['stores']): GatewayConfig['stores'] {
  const resolved = Object.entries(stores).map(([storeId, store]) => [storeId, resolveStore(storeId, store)]);
  // Without a prototype, as the names come from outside.
  return Object.assign(Object.create(null), Object.fromEntries(resolved));
}

function resolveStore(storeId: string, store: StoreConfig): StoreConfig {
  const { engine, urlFile, ...rest } = store;
  if (store.file !== undefined && engine !== 'sqlite') {
    throw configError(`stores.${storeId}.file`, 'must be absent: only the engine sqlite has a file');
  }
  if (engine !== 'postgres') {
    for (const name of ['url', 'urlFile', 'schema'] as const) {
      if (store[name] === undefined) continue;
      const what = name === 'schema' ? 'schema' : 'connection string';
      throw configError(
        `stores.${storeId}.${name}`,
        `must be absent: only the engine postgres has a ${what}`,
      );
    }
    return store;
  }
  if (urlFile === undefined) {
    if (store.url !== undefined) return store;
    throw configError(
      `stores.${storeId}.url`,
      'must be a connection string such as postgres://user@host/database',
    );
  }
  if (store.url !== undefined) {
    throw configError(`stores.${storeId}.urlFile`, `must not be set together with \`stores.${storeId}.url\``);
  }
  return { ...rest, engine, url: readSecret(urlFile, `stores.${storeId}.urlFile`) };
}
