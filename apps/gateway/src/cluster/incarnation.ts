import type { Clock } from '@esdb-gater/types';
import { writeFileAtomic } from '../node/atomic-file.ts';
import { type DataDir, readOptional } from '../node/data-dir.ts';

const FILE = 'incarnation';

/** Returns the incarnation of this start: the Unix time in milliseconds, but higher than that of every earlier start. */
export async function nextIncarnation(dataDir: Pick<DataDir, 'file'>, clock: Clock): Promise<number> {
  const file = dataDir.file(FILE);
  const last = Number((await readOptional(file)) ?? 0);
  const incarnation = Math.max(Math.floor(clock.now()), (Number.isSafeInteger(last) ? last : 0) + 1);
  await writeFileAtomic(file, `${incarnation}\n`);
  return incarnation;
}
