import { requireNumber } from '@esdb-gater/primitives';
import { type Clock, systemClock } from '@esdb-gater/types';

/** Limits retries to a share of the recent calls, so that retries do not overload a failing store. */
export interface RetryBudget {
  /** Counts a call, at its first attempt. */
  recordCall(): void;
  /** Counts a retry and returns true, or returns false when the budget is used up. */
  tryRetry(): boolean;
  /** How many retries it would grant now. */
  readonly left: number;
}

export interface RetryBudgetOptions {
  readonly clock?: Clock;
  /** Retries per call. @default 0.1 */
  readonly ratio?: number;
  /** Retries that are always allowed in a window. @default 10 */
  readonly min?: number;
  /** @default 10 000 */
  readonly windowMs?: number;
}

const SLOTS = 10;

/**
 * Creates a budget for several callers: it allows `ratio` retries per call of the last `windowMs`, and at least
 * `min`.
 *
 * The window moves in tenths and is strict: a call counts for at most `windowMs`, a retry for at least that long.
 * Recording a call costs one clock read and one increment at any rate.
 *
 * @throws `invalid_argument` (reason `retry_budget`)
 */
export function createRetryBudget(options: RetryBudgetOptions = {}): RetryBudget {
  return new SlottedRetryBudget(resolveOptions(options));
}

function resolveOptions(options: RetryBudgetOptions): Required<RetryBudgetOptions> {
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
  /** One slot more than the window has, so that retries count until they are certainly older than the window. */
  readonly #calls = new Float64Array(SLOTS + 1);
  readonly #retries = new Float64Array(SLOTS + 1);
  /** The number of the current slot, counted from the clock's origin. */
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

  get left(): number {
    return this.#left(this.#advance());
  }

  tryRetry(): boolean {
    const index = this.#advance();
    if (this.#left(index) < 1) return false;
    this.#retries[index] = (this.#retries[index] ?? 0) + 1;
    return true;
  }

  #left(index: number): number {
    const oldest = (index + 1) % (SLOTS + 1);
    let calls = -(this.#calls[oldest] ?? 0);
    let retries = 0;
    for (let i = 0; i <= SLOTS; i++) {
      calls += this.#calls[i] ?? 0;
      retries += this.#retries[i] ?? 0;
    }
    return Math.max(0, Math.floor(Math.max(this.#min, calls * this.#ratio) - retries));
  }

  /** Clears the slots that have expired. Returns the index of the current one. */
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
