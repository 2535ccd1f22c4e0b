import { GaterError } from '@esdb-gater/types';
import type { GatewayConfig } from './types.ts';

/**
 * Refuses what can be configured but not be done by this version: a setting is never ignored in silence.
 *
 * @throws `not_supported` with one line that names the key
 */
export function assertSupported(config: GatewayConfig): void {
  if (config.cluster.discovery !== 'none') refuse('cluster.discovery', 'a cluster of nodes');
  if (config.cluster.peers.length > 0) refuse('cluster.peers', 'a cluster of nodes');
  for (const [storeId, store] of Object.entries(config.stores)) {
    if (store.engine === 'postgres') refuse(`stores.${storeId}.engine`, 'the engine postgres');
    if (store.tamperEvident === true) refuse(`stores.${storeId}.tamperEvident`, 'the hash chain');
    for (const member of ['url', 'schema'] as const) {
      if (store[member] !== undefined) refuse(`stores.${storeId}.${member}`, 'the engine postgres');
    }
    if (store.file !== undefined && store.engine !== 'sqlite') {
      throw new GaterError('invalid_argument', `stores.${storeId}.file: only the engine sqlite has a file`, {
        details: { reason: 'configuration', key: `stores.${storeId}.file` },
      });
    }
  }
}

function refuse(key: string, what: string): never {
  throw new GaterError('not_supported', `${key}: ${what} is not supported by this version`, {
    details: { key },
  });
}
