import type { BrokerEpoch, EpochLog } from '@esdb-gater/channels';
import { SingleFlight } from '@esdb-gater/primitives';
import { PRIVATE_MODE, writeFileAtomic } from '../node/atomic-file.ts';
import { readOptional } from '../node/data-dir.ts';

/**
 * Maximum number of stored runs of the in-process broker. A position of an earlier run is treated as having lost
 * messages.
 */
const MAX_LIVES = 64;

/**
 * Opens the file with the runs of the in-process broker. A file that cannot be read counts as empty: a position of an
 * earlier run then gets `lost: true`, which is safe.
 */
export async function openEpochFile(file: string): Promise<EpochLog> {
  const earlier = parseLives(await readOptional(file)).slice(1 - MAX_LIVES);
  let current: BrokerEpoch | undefined;
  const writes = new SingleFlight(async () => {
    await writeFileAtomic(file, `${JSON.stringify({ lives: [...earlier, current] })}\n`, PRIVATE_MODE);
  });
  return {
    earlier,
    save(epoch) {
      current = epoch;
      return writes.run();
    },
  };
}

function parseLives(text: string | undefined): readonly BrokerEpoch[] {
  if (text === undefined) return [];
  try {
    const { lives } = JSON.parse(text) as { readonly lives?: unknown };
    return Array.isArray(lives) && lives.every(isLife) ? lives : [];
  } catch {
    return [];
  }
}

function isLife(value: unknown): value is BrokerEpoch {
  if (typeof value !== 'object' || value === null) return false;
  const { epoch, startedMs, published } = value as Partial<Record<keyof BrokerEpoch, unknown>>;
  return (
    typeof epoch === 'string' &&
    Number.isSafeInteger(startedMs) &&
    (published === null || Number.isSafeInteger(published))
  );
}
