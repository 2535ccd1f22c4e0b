import { eventData } from '../stores/workload.ts';

/** The events that a reader catches up with. */
export const EVENTS = 50_000;
export const STREAMS = 1_000;
export const PER_APPEND = 50;

/** Appends the events in rounds over all streams. `append` gets the events' data. */
export async function fill(
  append: (
    stream: string,
    version: number,
    data: readonly ReturnType<typeof eventData>[],
  ) => Promise<unknown>,
): Promise<void> {
  for (let n = 0; n < EVENTS / PER_APPEND; n += 1) {
    const version = Math.floor(n / STREAMS) * PER_APPEND;
    const data = Array.from({ length: PER_APPEND }, (_, index) => eventData(n % STREAMS, version + index));
    await append(`stream-${n % STREAMS}`, version, data);
  }
}

/** Counts events, and resolves with their number per second when all have come. */
export function createCounter(): { count(): void; readonly perSecond: Promise<number> } {
  const { promise, resolve } = Promise.withResolvers<number>();
  const beganAt = performance.now();
  let seen = 0;
  return {
    count() {
      seen += 1;
      if (seen === EVENTS) resolve(EVENTS / ((performance.now() - beganAt) / 1_000));
    },
    perSecond: promise,
  };
}
