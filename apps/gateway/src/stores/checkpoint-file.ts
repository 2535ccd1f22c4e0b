import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { FEED_START, isFurther, parseFeedPosition, SingleFlight } from '@esdb-gater/primitives';
import type { FeedCheckpoint, FeedPosition } from '@esdb-gater/types';
import { writeFileAtomic } from '../node/atomic-file.ts';
import { readOptional } from '../node/data-dir.ts';

/**
 * Stores the feed's checkpoint of a store that remote workers serve, in a file of `dataDir`. It is valid only for the
 * database that it was saved for: for another `storeUuid` it is ignored.
 *
 * A file that cannot be read counts as none, too: the feed then starts at the store's beginning, which is at least once.
 *
 * @param leftFile is read when `file` does not exist
 */
export function createCheckpointFile(
  file: string,
  storeUuid: string | undefined,
  leftFile?: string,
): FeedCheckpoint {
  let kept = FEED_START;
  const writes = new SingleFlight(async () => {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    await writeFileAtomic(file, `${JSON.stringify({ storeUuid, ...kept })}\n`);
  });
  let writing: Promise<void> = Promise.resolve();
  return {
    async load() {
      const saved = parseCheckpoint(
        (await readOptional(file)) ?? (leftFile && (await readOptional(leftFile))),
      );
      if (saved?.storeUuid === storeUuid && saved !== undefined && isFurther(saved.position, kept)) {
        kept = saved.position;
      }
      return kept;
    },
    save(position) {
      if (isFurther(position, kept)) {
        kept = position;
        writing = writes.run();
      }
      return writing;
    },
  };
}

/** A checkpoint as its file holds it. */
export interface SavedCheckpoint {
  readonly storeUuid: string | undefined;
  readonly position: FeedPosition;
}

/** Reads the text of a checkpoint file. Returns undefined for a checkpoint that cannot be read. */
export function parseCheckpoint(text: string | undefined): SavedCheckpoint | undefined {
  if (text === undefined) return undefined;
  try {
    const saved = JSON.parse(text) as { readonly storeUuid?: unknown };
    const position = parseFeedPosition(saved);
    const { storeUuid } = saved;
    if (position === FEED_START || (storeUuid !== undefined && typeof storeUuid !== 'string'))
      return undefined;
    return { storeUuid, position };
  } catch {
    return undefined;
  }
}
