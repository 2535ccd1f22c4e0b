import { calculateDelay, retryPolicy } from '@esdb-gater/retry';
import type { Clock } from '@esdb-gater/types';
import type { Connections } from '../client/connections.ts';
import type { Address, FetchOutcome, FetchPartition } from '../client/driver.ts';

export interface FetchLoopOptions {
  readonly connections: Connections;
  readonly clock: Clock;
  readonly lane: string;
  readonly address: Address;
  /** What to read from this broker now; empty ends the loop. */
  readonly wanted: () => readonly FetchPartition[];
  /** Takes an answer. False when it brought trouble: then the next question waits a little. */
  readonly take: (outcomes: readonly FetchOutcome[]) => boolean | Promise<boolean>;
  readonly failed: (error: unknown) => void;
}

/** How long Kafka holds a question that it has no record for. Longer costs less when nothing happens. */
const MAX_WAIT_MS = 1_000;
/** On top of it, until the broker counts as lost. */
const GRACE_MS = 2_500;
const ANSWER_BYTES = 8 * 1_048_576;
const PARTITION_BYTES = 1_048_576;
const BACKOFF = retryPolicy({ baseDelayMs: 50, maxDelayMs: 1_000, maxAttempts: 1_000_000 });

/** Asks one broker for what follows, over and over, until nothing is wanted of it any more. Never rejects. */
export async function fetchLoop(options: FetchLoopOptions): Promise<void> {
  const { connections, clock, lane, address } = options;
  for (let failures = 0; ; ) {
    const partitions = options.wanted();
    if (partitions.length === 0) return;
    let well = false;
    try {
      const outcomes = await connections.use(
        { lane, address, timeoutMs: MAX_WAIT_MS + GRACE_MS },
        (connection) =>
          connection.fetch(partitions, {
            maxWaitMs: MAX_WAIT_MS,
            maxBytes: ANSWER_BYTES,
            partitionBytes: PARTITION_BYTES,
          }),
      );
      well = await options.take(outcomes);
    } catch (error) {
      options.failed(error);
    }
    failures = well ? 0 : failures + 1;
    if (!well) await pause(clock, calculateDelay(Math.min(failures - 1, 10), BACKOFF));
  }
}

function pause(clock: Clock, delayMs: number): Promise<void> {
  return new Promise((resolve) => clock.setTimer(resolve, delayMs, { unref: true }));
}
