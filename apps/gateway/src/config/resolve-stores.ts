import { configError } from './config-error.ts';
import type { GatewayConfig, StoreConfig } from './types.ts';

/**
 * Checks which settings each engine has.
 *
 * @throws `invalid_argument` (reason `configuration`) that names the key, never the secret
 */
export function resolveStores(stores: GatewayConfig['stores']): GatewayConfig['stores'] {
  const resolved = Object.entries(stores).map(([storeId, store]) => [storeId, resolveStore(storeId, store)]);
  // Without a prototype, as the names come from outside.
  return Object.assign(Object.create(null), Object.fromEntries(resolved));
}

function resolveStore(storeId: string, store: StoreConfig): StoreConfig {
  const { engine } = store;
  if (store.file !== undefined && engine !== 'sqlite') {
    throw configError(`stores.${storeId}.file`, 'must be absent: only the engine sqlite has a file');
  }
  if (engine === 'postgres' && store.url === undefined) {
    throw configError(
      `stores.${storeId}.url`,
      'must be a connection string such as postgres://user@host/database',
    );
  }
  for (const name of ['url', 'schema'] as const) {
    if (engine === 'postgres' || store[name] === undefined) continue;
    const what = name === 'schema' ? 'schema' : 'connection string';
    throw configError(`stores.${storeId}.${name}`, `must be absent: only the engine postgres has a ${what}`);
  }
  return store;
}
