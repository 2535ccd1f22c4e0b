import { MAX_TIMER_MS, requireNumber, sleep, withLimit } from '@esdb-gater/primitives';
import { type Clock, GaterError, systemClock } from '@esdb-gater/types';
import type { RetryBudget } from './budget.ts';
import { calculateDelay } from './delay.ts';
import { type RetryPolicy, type RetryPolicyOptions, retryPolicy } from './policy.ts';

/** The argument of {@link WithRetryOptions.onRetry}. */
export interface RetryNotice {
  /** The attempt that failed, from 0. */
  readonly attempt: number;
  /** The delay that starts now. */
  readonly delayMs: number;
  readonly error: GaterError;
}

export interface WithRetryOptions {
  /** Ends the attempt or the delay at once. The call rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  /**
   * Milliseconds for all attempts and delays together, from the call on. With 0 or less (the remaining time of another
   * deadline, for example) the call fails with `timeout` before its first attempt.
   *
   * @default none
   */
  readonly deadlineMs?: number;
  /** Milliseconds for each attempt, above 0, so that an attempt that hangs leaves time for another. @default none */
  readonly attemptTimeoutMs?: number;
  /** Shared by all calls to the same service. @default none */
  readonly budget?: RetryBudget;
  /**
   * Refuses some retriable errors. A call that is not idempotent must refuse `timeout`, since the attempt may have
   * succeeded.
   *
   * @default every retriable error
   */
  readonly shouldRetry?: (error: GaterError) => boolean;
  /** Called before each delay. Must not throw. */
  readonly onRetry?: (notice: RetryNotice) => void;
  readonly clock?: Clock;
  /** Returns a number from 0 (inclusive) to 1 (exclusive). @default Math.random */
  readonly random?: () => number;
}

/**
 * Calls `fn` until it succeeds, fails permanently, or the time, the attempts or the budget are used up.
 *
 * Only a `GaterError` with `retriable: true` is retried; any other error is thrown at once and unchanged. Every
 * returned value is a success. The delays are those of {@link calculateDelay}, and for `rate_limited` at least its
 * `retryAfterMs`. A retry starts only if its delay ends before the deadline and the budget allows it; otherwise the
 * last error is thrown with `attempts`.
 *
 * @param fn receives the attempt (from 0) and a signal. The signal aborts with a `timeout` at the limit of the
 * attempt (the smaller of `attemptTimeoutMs` and the time left), and with the caller's reason when they abort.
 * @param policy a policy by {@link retryPolicy}, or its options
 * @throws `retries_exhausted` with `attempts` and `cause` (the last error's code) when `maxAttempts` are used up;
 * `timeout`; the signal's reason; the error of `fn`; `invalid_argument` (reasons `retry_policy`, `retry_options`)
 */
export async function withRetry<T>(
  fn: (attempt: number, signal: AbortSignal) => T | PromiseLike<T>,
  policy: RetryPolicyOptions = {},
  options: WithRetryOptions = {},
): Promise<T> {
  const resolvedPolicy = retryPolicy(policy);
  const { signal, clock, budget, deadlineMs, attemptTimeoutMs } = resolveOptions(options);
  signal?.throwIfAborted();
  if (deadlineMs <= 0) throw tooLate();
  // The monotonic clock is not affected when the wall clock jumps.
  const deadline = clock.monotonic() + deadlineMs;
  budget?.recordCall();
  for (let attempt = 0, left = deadlineMs; ; attempt++) {
    let failure: unknown;
    const limitMs = Math.min(attemptTimeoutMs, left);
    try {
      return await withLimit((own) => fn(attempt, own), { limitMs, signal, clock });
    } catch (error) {
      failure = error;
    }
    signal?.throwIfAborted();
    const error = retriable(failure, options);
    const delayMs = nextDelay(attempt, error, resolvedPolicy, options);
    left = deadline - clock.monotonic() - delayMs;
    if (left <= 0 || budget?.tryRetry() === false) throw withAttempts(error, attempt + 1);
    options.onRetry?.({ attempt, delayMs, error });
    await sleep(delayMs, clock, signal);
    left = deadline - clock.monotonic();
    // A timer fires late when the event loop is busy, so the deadline may have passed.
    if (left <= 0) throw withAttempts(error, attempt + 1);
  }
}

function resolveOptions(options: WithRetryOptions): {
  readonly signal: AbortSignal | undefined;
  readonly clock: Clock;
  readonly budget: RetryBudget | undefined;
  readonly deadlineMs: number;
  readonly attemptTimeoutMs: number;
} {
  const { signal, clock = systemClock, budget } = options;
  const { deadlineMs = Number.POSITIVE_INFINITY, attemptTimeoutMs = Number.POSITIVE_INFINITY } = options;
  const bounds = { reason: 'retry_options', max: Number.POSITIVE_INFINITY } as const;
  requireNumber('deadlineMs', deadlineMs, { ...bounds, min: Number.NEGATIVE_INFINITY });
  requireNumber('attemptTimeoutMs', attemptTimeoutMs, { ...bounds, above: 0 });
  return { signal, clock, budget, deadlineMs, attemptTimeoutMs };
}

function tooLate(): GaterError {
  return new GaterError('timeout', 'the deadline had passed before the first attempt', {
    details: { attempts: 0 },
  });
}

/** Returns the error if it may be retried, else throws it. */
function retriable(failure: unknown, { shouldRetry }: WithRetryOptions): GaterError {
  if (!GaterError.is(failure) || !failure.retriable || shouldRetry?.(failure) === false) throw failure;
  return failure;
}

function nextDelay(
  attempt: number,
  error: GaterError,
  policy: RetryPolicy,
  { random }: WithRetryOptions,
): number {
  if (attempt + 1 >= policy.maxAttempts) throw exhausted(error, attempt + 1);
  const delayMs = calculateDelay(attempt, policy, random);
  if (error.code !== 'rate_limited') return delayMs;
  const { retryAfterMs } = error.details;
  if (typeof retryAfterMs !== 'number' || !(retryAfterMs > delayMs)) return delayMs;
  return Math.min(retryAfterMs, MAX_TIMER_MS);
}

function exhausted(error: GaterError, attempts: number): GaterError {
  // `cause` is a code here, which GaterError keeps as a detail, so the error itself cannot be the cause too.
  return new GaterError('retries_exhausted', `${attempts} attempts failed, the last one: ${error.message}`, {
    details: { attempts, cause: error.code },
  });
}

function withAttempts(error: GaterError, attempts: number): GaterError {
  return new GaterError(error.code, error.message, { details: { ...error.details, attempts }, cause: error });
}
