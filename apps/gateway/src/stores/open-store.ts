import { mkdir } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { createMemoryStore } from '@esdb-gater/event-store';
import { openSqliteStore } from '@esdb-gater/store-sqlite';
import { type Clock, type EventStore, GaterError, type Logger } from '@esdb-gater/types';
import type { StoreConfig } from '../config/types.ts';
import type { DataDir } from '../node/data-dir.ts';

export interface OpenStoreComponents {
  readonly dataDir: Pick<DataDir, 'file'>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Opens a configured store of this process. Returns undefined for a store that only remote workers serve.
 *
 * @throws `unavailable` when its file cannot be used, `not_supported` for an engine that does not exist
 */
export async function openStore(
  storeId: string,
  config: StoreConfig,
  { dataDir, clock, logger }: OpenStoreComponents,
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
    case 'postgres':
      throw new GaterError('not_supported', `stores.${storeId}.engine: the engine postgres is not supported`);
  }
}
