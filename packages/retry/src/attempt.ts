import { type Clock, GaterError } from '@esdb-gater/types';
import { LONGEST_TIMER_MS } from './policy.ts';

/** What one attempt runs under. */
export interface AttemptBounds {
  readonly clock: Clock;
  /** Milliseconds that this attempt has; `Infinity` is none. */
  readonly limitMs: number;
  /** The caller's. */
  readonly signal: AbortSignal | undefined;
}

/**
 * Runs `fn` once and ends with it, with its limit or with the caller's signal, whichever comes first.
 *
 * The signal that `fn` gets aborts with the same reason as the attempt. An `fn` that ignores it is left behind:
 * what it gives later is not looked at, and never an unhandled rejection. Timer and listener are gone at the end.
 */
export function runAttempt<T>(
  fn: (attempt: number, signal: AbortSignal) => T | PromiseLike<T>,
  attempt: number,
  { clock, limitMs, signal }: AttemptBounds,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const controller = new AbortController();
    const end = (reason: unknown): void => {
      release();
      reject(reason);
      controller.abort(reason);
    };
    const abort = (): void => end(signal?.reason);
    const timer =
      limitMs > LONGEST_TIMER_MS ? undefined : clock.setTimer(() => end(timedOut(attempt, limitMs)), limitMs);
    const release = (): void => {
      timer?.cancel();
      signal?.removeEventListener('abort', abort);
    };
    signal?.addEventListener('abort', abort, { once: true });
    // `call` is async, so that an `fn` that throws at once ends like one that rejects.
    call(fn, attempt, controller.signal).then(
      (value) => {
        release();
        resolve(value);
      },
      (error: unknown) => {
        release();
        reject(error);
      },
    );
  });
}

async function call<T>(
  fn: (attempt: number, signal: AbortSignal) => T | PromiseLike<T>,
  attempt: number,
  signal: AbortSignal,
): Promise<T> {
  return await fn(attempt, signal);
}

function timedOut(attempt: number, limitMs: number): GaterError {
  const timeoutMs = Math.round(limitMs);
  return new GaterError('timeout', `attempt ${attempt + 1} had no answer within ${timeoutMs} ms`, {
    details: { timeoutMs },
  });
}
