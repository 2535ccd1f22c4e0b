import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { AppendFigures } from './workload.ts';

/** Appends one event as `writer`, who expects its stream to be at `version - 1`. */
export type AppendOne = (writer: number, version: number) => Promise<void>;

/**
 * Makes `writers` append for `durationMs`, each to its own stream and one event at a time. Resolves to the figures and
 * to how many events each writer had acknowledged.
 */
export async function driveAppends(
  writers: number,
  durationMs: number,
  append: AppendOne,
): Promise<AppendFigures & { readonly acknowledged: readonly number[] }> {
  const acknowledged = new Array<number>(writers).fill(0);
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const startedAt = performance.now();
  const write = async (writer: number): Promise<void> => {
    for (let version = 0; performance.now() - startedAt < durationMs; version += 1) {
      await append(writer, version);
      acknowledged[writer] = version + 1;
    }
  };
  await Promise.all(acknowledged.map((_, writer) => write(writer)));
  const seconds = (performance.now() - startedAt) / 1_000;
  delay.disable();
  const total = acknowledged.reduce((sum, count) => sum + count, 0);
  // The monitor includes its resolution of one millisecond.
  return { appendsPerSecond: total / seconds, loopP99Ms: delay.percentile(99) / 1e6 - 1, acknowledged };
}

/** Reads a stream again and again for `durationMs`; resolves to events a second. */
export async function driveReads(
  durationMs: number,
  readStream: () => Promise<number>,
  expected: number,
): Promise<number> {
  let events = 0;
  const startedAt = performance.now();
  do {
    const count = await readStream();
    if (count !== expected) throw new Error(`read ${count} events, expected ${expected}`);
    events += count;
  } while (performance.now() - startedAt < durationMs);
  return events / ((performance.now() - startedAt) / 1_000);
}
