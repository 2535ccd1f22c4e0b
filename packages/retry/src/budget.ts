import { requireNumber } from '@esdb-gater/primitives';
import { type Clock, systemClock } from '@esdb-gater/types';

/** How many retries the calls of the last seconds allow, so that a store in trouble is not hit harder. */
export interface RetryBudget {
  /** A call begins: its first attempt, not a retry. */
  recordCall(): void;
  /** Takes the place of one retry; false when there is none. */
  tryRetry(): boolean;
}

export interface RetryBudgetOptions {
  readonly clock?: Clock;
  /** Retries per call. @default 0.1 */
  readonly ratio?: number;
  /** Retries that are allowed however few calls there were. @default 10 */
  readonly min?: number;
  /** @default 10 000 */
  readonly windowMs?: number;
}

const SLOTS = 10;

/**
 * Makes a budget that several callers share: `ratio` of the calls of the last `windowMs`, at least `min`.
 *
 * The window moves in tenths and errs on the strict side: a call counts for at most `windowMs`, a retry for at
 * least that. Recording a call costs one reading of the clock and an increment, whatever the rate.
 *
 * @throws `invalid_argument` (reason `retry_budget`)
 */
export function createRetryBudget(options: RetryBudgetOptions = {}): RetryBudget {
  return new SlottedRetryBudget(complete(options));
}

function complete(options: RetryBudgetOptions): Required<RetryBudgetOptions> {
  const { clock = systemClock, ratio = 0.1, min = 10, windowMs = 10_000 } = options;
  const reason = 'retry_budget';
  requireNumber('ratio', ratio, { reason, min: 0 });
  requireNumber('min', min, { reason, min: 0 });
  requireNumber('windowMs', windowMs, { reason, above: 0 });
  return Object.freeze({ clock, ratio, min, windowMs });
}

class SlottedRetryBudget implements RetryBudget {
  readonly #clock: Clock;
  readonly #ratio: number;
  readonly #min: number;
  readonly #slotMs: number;
  /** One slot more than the window has, so that retries stay counted until they are surely older than it. */
  readonly #calls = new Float64Array(SLOTS + 1);
  readonly #retries = new Float64Array(SLOTS + 1);
  /** Number of the current slot since the clock's origin. */
  #slot: number;

  constructor({ clock, ratio, min, windowMs }: Required<RetryBudgetOptions>) {
    this.#clock = clock;
    this.#ratio = ratio;
    this.#min = min;
    this.#slotMs = windowMs / SLOTS;
    this.#slot = Math.floor(clock.monotonic() / this.#slotMs);
  }

  recordCall(): void {
    const index = this.#advance();
    this.#calls[index] = (this.#calls[index] ?? 0) + 1;
  }

  tryRetry(): boolean {
    const index = this.#advance();
    const oldest = (index + 1) % (SLOTS + 1);
    let calls = -(this.#calls[oldest] ?? 0);
    let retries = 0;
    for (let i = 0; i <= SLOTS; i++) {
      calls += this.#calls[i] ?? 0;
      retries += this.#retries[i] ?? 0;
    }
    if (retries + 1 > Math.max(this.#min, calls * this.#ratio)) return false;
    this.#retries[index] = (this.#retries[index] ?? 0) + 1;
    return true;
  }

  /** Empties the slots that time has passed over; gives the index of the current one. */
  #advance(): number {
    const slot = Math.floor(this.#clock.monotonic() / this.#slotMs);
    const passed = Math.min(slot - this.#slot, SLOTS + 1);
    for (let i = 0; i < passed; i++) {
      const index = (slot - i) % (SLOTS + 1);
      this.#calls[index] = 0;
      this.#retries[index] = 0;
    }
    if (passed > 0) this.#slot = slot;
    return this.#slot % (SLOTS + 1);
  }
}
