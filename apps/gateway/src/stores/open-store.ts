import { mkdir } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { createMemoryStore } from '@esdb-gater/event-store';
import { openSqliteStore } from '@esdb-gater/store-sqlite';
import type { Clock, EventStore, Logger } from '@esdb-gater/types';
import type { StoreConfig } from '../config/types.ts';
import type { DataDir } from '../node/data-dir.ts';

export interface OpenStoreComponents {
  readonly dataDir: Pick<DataDir, 'file'>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** False opens a PostgreSQL store also while its database cannot be reached; see `whenConnected`. @default true */
  readonly requireDatabase?: boolean;
}

/**
 * Opens a configured store of this process. Returns undefined for a store that only remote workers serve.
 *
 * @throws `unavailable` when its file or its database cannot be used
 */
export async function openStore(
  storeId: string,
  config: StoreConfig,
  { dataDir, clock, logger, requireDatabase = true }: OpenStoreComponents,
): Promise<EventStore | undefined> {
  const tamperEvident = config.tamperEvident === true;
  switch (config.engine) {
    case 'remote':
      return undefined;
    case 'memory':
      return createMemoryStore({ storeId, clock, logger, tamperEvident });
    case 'sqlite': {
      const file = config.file === undefined ? dataDir.file(`${storeId}.db`) : resolve(config.file);
      await mkdir(dirname(file), { recursive: true });
      return openSqliteStore({ storeId, file, clock, logger, tamperEvident });
    }
    case 'postgres': {
      const { url, schema } = config;
      // Loaded only where it is used: most gateways have no PostgreSQL.
      const { openPostgresStore } = await import('@esdb-gater/store-postgres');
      return openPostgresStore({
        storeId,
        url: url as string,
        ...(schema === undefined ? {} : { schema }),
        requirePrimary: requireDatabase,
        clock,
        logger,
        tamperEvident,
      });
    }
  }
}

/**
 * Returns a promise that resolves once a store has reached its database, and has its `storeUuid`. It rejects when the store is
 * closed before.
 */
export function whenConnected(store: EventStore): Promise<void> {
  return store.connected ?? CONNECTED;
}

/** Returns true once a store has its `storeUuid`. */
export function isConnected({ storeUuid }: EventStore): boolean {
  return storeUuid !== '';
}

const CONNECTED = Promise.resolve();
