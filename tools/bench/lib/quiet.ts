import { setTimeout as sleep } from 'node:timers/promises';
import { machineTicks } from './child.ts';

const LOOKS_FOR_MS = 2_000;
const WAITS_MS = 60_000;
/** A share of all cores. */
const QUIET_BELOW = 0.08;

/** Waits until nothing else uses the machine. Returns the share of all cores that is still busy after a minute, or before. */
export async function whenQuiet(): Promise<{ readonly isQuiet: boolean; readonly busyShare: number }> {
  for (const deadline = performance.now() + WAITS_MS; ; ) {
    const before = machineTicks();
    await sleep(LOOKS_FOR_MS);
    const after = machineTicks();
    const busyShare = (after.busy - before.busy) / (after.all - before.all);
    if (busyShare < QUIET_BELOW) return { isQuiet: true, busyShare };
    if (performance.now() > deadline) return { isQuiet: false, busyShare };
    process.stderr.write(`waiting for a quiet machine: ${Math.round(busyShare * 100)} % of it is busy\n`);
  }
}
