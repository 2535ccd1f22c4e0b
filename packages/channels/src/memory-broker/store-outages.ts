import type { Clock, Logger } from '@esdb-gater/types';

/** The time before a failed store is read again. */
const RETRY_MS = 500;

/** The time after its last failure for which a store counts as unavailable, although replays retry more often. */
const MISSING_MS = 5_000;

interface Outage {
  failedMs: number;
  message: string;
}

/** Knows the stores that cannot be read at present, so that replays of others do not wait for them. */
export class StoreOutages {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #outages = new Map<string, Outage>();

  constructor(clock: Clock, logger: Logger) {
    this.#clock = clock;
    this.#logger = logger;
  }

  /** Returns true while the store need not be tried. */
  isOut(storeId: string): boolean {
    const outage = this.#outages.get(storeId);
    return outage !== undefined && this.#clock.monotonic() - outage.failedMs < RETRY_MS;
  }

  failed(storeId: string, error: unknown): void {
    const failedMs = this.#clock.monotonic();
    const message = error instanceof Error ? error.message : String(error);
    const outage = this.#outages.get(storeId);
    if (outage !== undefined) {
      outage.failedMs = failedMs;
      outage.message = message;
      return;
    }
    this.#outages.set(storeId, { failedMs, message });
    this.#logger.warn(
      { err: error, storeId },
      'cannot read a store: replays of `events` leave it out until it is back',
    );
  }

  succeeded(storeId: string): void {
    if (!this.#outages.delete(storeId)) return;
    this.#logger.info({ storeId }, 'replays of `events` read the store again');
  }

  /** Returns a sentence about the stores that replays wait for, or undefined when there are none. */
  message(): string | undefined {
    const now = this.#clock.monotonic();
    const missing = [...this.#outages].filter(([, { failedMs }]) => now - failedMs < MISSING_MS);
    if (missing.length === 0) return undefined;
    const list = missing.map(([storeId, { message }]) => `${storeId} (${message})`).join(', ');
    return `replays of \`events\` wait for stores that cannot be read: ${list}`;
  }
}
