import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { SingleFlight } from '@esdb-gater/primitives';
import type { FeedCheckpoint } from '@esdb-gater/types';
import { writeFileAtomic } from '../node/atomic-file.ts';
import { readOptional } from '../node/data-dir.ts';

/**
 * The feed's checkpoint of a store that remote workers serve, in a file of `dataDir`. It belongs to the database that
 * it was made with: for another `storeUuid` it counts as none.
 *
 * A file that cannot be understood counts as none, too: then the feed begins at the store's beginning, which is at
 * least once.
 */
export function createCheckpointFile(file: string, storeUuid: string | undefined): FeedCheckpoint {
  let kept = 0;
  const writes = new SingleFlight(async () => {
    await mkdir(dirname(file), { recursive: true });
    await writeFileAtomic(file, `${JSON.stringify({ storeUuid, position: kept })}\n`);
  });
  let writing: Promise<void> = Promise.resolve();
  return {
    async load() {
      kept = Math.max(kept, parse(await readOptional(file), storeUuid));
      return kept;
    },
    save(position) {
      if (position > kept) {
        kept = position;
        writing = writes.run();
      }
      return writing;
    },
  };
}

function parse(text: string | undefined, storeUuid: string | undefined): number {
  if (text === undefined) return 0;
  try {
    const saved = JSON.parse(text) as { readonly storeUuid?: unknown; readonly position?: unknown };
    const { position } = saved;
    return saved.storeUuid === storeUuid && Number.isSafeInteger(position) && (position as number) > 0
      ? (position as number)
      : 0;
  } catch {
    return 0;
  }
}
