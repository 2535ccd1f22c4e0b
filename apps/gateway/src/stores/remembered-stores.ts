import { readdir, stat } from 'node:fs/promises';
import { isStoreId } from '@esdb-gater/types';
import type { FedIdentity } from '../kafka/feed-coordination.ts';
import type { DataDir } from '../node/data-dir.ts';
import { readOptional } from '../node/data-dir.ts';
import { parseCheckpoint } from './checkpoint-file.ts';

/** How many stores are remembered. They are part of every position on `events`. */
const MAX_STORES = 64;

const FOLDER = 'feed';
const SUFFIX = '.json';

/** Returns the file with the checkpoint of a store that remote workers serve. */
export function checkpointPath(dataDir: DataDir, storeId: string): string {
  return dataDir.file(FOLDER, `${storeId}${SUFFIX}`);
}

/** Returns the file that a checkpoint has moved to, once the last worker of its store has left in order. */
export function leftCheckpointPath(dataDir: DataDir, storeId: string): string {
  return dataDir.file(FOLDER, `${storeId}.left${SUFFIX}`);
}

/**
 * Returns the stores of remote workers that have a checkpoint from before the start: replays wait for such a store
 * until its worker returns. Beyond a bound only those that were fed last.
 */
export async function rememberedStores(dataDir: DataDir): Promise<readonly FedIdentity[]> {
  const names = await readdir(dataDir.file(FOLDER)).catch((): string[] => []);
  const storeIds = names
    .filter((name) => name.endsWith(SUFFIX))
    .map((name) => name.slice(0, -SUFFIX.length))
    .filter(isStoreId);
  const found = await Promise.all(
    storeIds.map(async (storeId) => {
      const file = checkpointPath(dataDir, storeId);
      const saved = parseCheckpoint(await readOptional(file).catch(() => undefined));
      const { mtimeMs } = await stat(file).catch(() => ({ mtimeMs: 0 }));
      return saved && { storeId, storeUuid: saved.storeUuid, mtimeMs };
    }),
  );
  return found
    .filter((store) => store !== undefined)
    .toSorted((one, other) => other.mtimeMs - one.mtimeMs)
    .slice(0, MAX_STORES)
    .map(({ storeId, storeUuid }) => ({ storeId, storeUuid }));
}
