/** One run of the in-process broker, from start to stop. */
export interface BrokerEpoch {
  readonly epoch: string;
  /** Unix milliseconds. */
  readonly startedMs: number;
  /** The number of messages that clients published on `events` in this run; null when it ended before saving that. */
  readonly published: number | null;
}

/** Stores the runs of the broker, so that a later run can tell whether messages of an earlier one are lost. */
export interface EpochLog {
  /** The earlier runs, oldest first. */
  readonly earlier: readonly BrokerEpoch[];
  /** Adds the current run, or replaces its saved state. */
  save(epoch: BrokerEpoch): Promise<void>;
}

/** Returns true when a message after the position of an earlier run may be lost. */
export function isLostSince(
  earlier: readonly BrokerEpoch[],
  { epoch, sequence }: { readonly epoch: string; readonly sequence: number },
): boolean {
  const index = earlier.findIndex((life) => life.epoch === epoch);
  const life = earlier[index];
  if (life === undefined || life.published === null || life.published > sequence) return true;
  return earlier.slice(index + 1).some(({ published }) => published !== 0);
}

/** Returns true when a message of an earlier run, at or after a time (Unix ms), may be lost. */
export function isLostSinceTime(earlier: readonly BrokerEpoch[], timeMs: number, startedMs: number): boolean {
  if (timeMs >= startedMs) return false;
  const [first] = earlier;
  if (first === undefined || timeMs < first.startedMs) return true;
  return earlier.some(({ published }, index) => {
    const endedMs = earlier[index + 1]?.startedMs ?? startedMs;
    return endedMs > timeMs && published !== 0;
  });
}
