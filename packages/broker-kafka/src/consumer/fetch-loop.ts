import { sleep } from '@esdb-gater/primitives';
import { calculateDelay, retryPolicy } from '@esdb-gater/retry';
import type { Clock } from '@esdb-gater/types';
import type { Connections } from '../client/connections.ts';
import type { Address, FetchOutcome, FetchPartition } from '../client/driver.ts';

export interface FetchLoopOptions {
  readonly connections: Connections;
  readonly clock: Clock;
  readonly purpose: string;
  readonly address: Address;
  /** Returns the partitions to fetch from this broker now; an empty list ends the loop. */
  readonly wanted: () => readonly FetchPartition[];
  /** Handles a response. Returns false when the response has an error, which delays the next fetch. */
  readonly onOutcomes: (outcomes: readonly FetchOutcome[]) => boolean | Promise<boolean>;
  readonly onError: (error: unknown) => void;
}

/** How long Kafka holds a fetch when it has no new record. A longer time costs less on idle topics. */
const MAX_WAIT_MS = 1_000;
/** How much later a response may come before the broker counts as lost. */
const GRACE_MS = 2_500;
const MAX_RESPONSE_BYTES = 8 * 1_048_576;
const MAX_PARTITION_BYTES = 1_048_576;
const BACKOFF = retryPolicy({ baseDelayMs: 50, maxDelayMs: 1_000, maxAttempts: 1_000_000 });

/** Fetches from one broker repeatedly, until no partition is left to fetch. Never rejects. */
export async function fetchLoop(options: FetchLoopOptions): Promise<void> {
  const { connections, clock, purpose, address } = options;
  for (let failures = 0; ; ) {
    const partitions = options.wanted();
    if (partitions.length === 0) return;
    let ok = false;
    try {
      const use = { purpose, address, timeoutMs: MAX_WAIT_MS + GRACE_MS };
      const outcomes = await connections.use(use, (connection) =>
        connection.fetch(partitions, {
          maxWaitMs: MAX_WAIT_MS,
          maxBytes: MAX_RESPONSE_BYTES,
          partitionBytes: MAX_PARTITION_BYTES,
        }),
      );
      ok = await options.onOutcomes(outcomes);
    } catch (error) {
      options.onError(error);
    }
    failures = ok ? 0 : failures + 1;
    if (!ok) {
      const delayMs = calculateDelay(Math.min(failures - 1, 10), BACKOFF);
      await sleep(delayMs, clock, undefined, { unref: true });
    }
  }
}
