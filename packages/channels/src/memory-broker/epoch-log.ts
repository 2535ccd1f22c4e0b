/** One life of the in-process broker. */
export interface BrokerEpoch {
  readonly epoch: string;
  /** Unix milliseconds. */
  readonly startedMs: number;
  /** How many messages clients published on `events` in it; null when it ended before it could tell. */
  readonly published: number | null;
}

/** Keeps the lives of the broker, so that a later one knows whether messages of an earlier one are gone. */
export interface EpochLog {
  /** The lives before this one, oldest first. */
  readonly earlier: readonly BrokerEpoch[];
  /** Adds this life, or replaces what was saved of it. */
  save(epoch: BrokerEpoch): Promise<void>;
}

/** Returns true when a message that followed the position of an earlier life may be gone. */
export function isLostSince(
  earlier: readonly BrokerEpoch[],
  { epoch, sequence }: { readonly epoch: string; readonly sequence: number },
): boolean {
  const index = earlier.findIndex((life) => life.epoch === epoch);
  const life = earlier[index];
  if (life === undefined || life.published === null || life.published > sequence) return true;
  return earlier.slice(index + 1).some(({ published }) => published !== 0);
}

/** Returns true when a message of an earlier life, at or after a time (Unix ms), may be gone. */
export function isLostSinceTime(earlier: readonly BrokerEpoch[], timeMs: number, startedMs: number): boolean {
  if (timeMs >= startedMs) return false;
  const [first] = earlier;
  if (first === undefined || timeMs < first.startedMs) return true;
  return earlier.some(({ published }, index) => {
    const endedMs = earlier[index + 1]?.startedMs ?? startedMs;
    return endedMs > timeMs && published !== 0;
  });
}
