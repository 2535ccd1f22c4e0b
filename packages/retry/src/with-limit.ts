import { type Clock, GaterError, systemClock } from '@esdb-gater/types';
import { LONGEST_TIMER_MS } from './policy.ts';

export interface LimitOptions {
  /** Milliseconds; `Infinity` is none. */
  readonly limitMs: number;
  /** The caller's; the call rejects with its reason. */
  readonly signal?: AbortSignal | undefined;
  readonly clock?: Clock;
}

/**
 * Runs `fn` and ends with it, with the limit or with the caller's signal, whichever comes first.
 *
 * The signal that `fn` gets aborts with the same reason as the call. An `fn` that ignores it is left behind: what it
 * gives later is not looked at, and never an unhandled rejection. Timer and listener are gone at the end.
 *
 * @throws `timeout` (with `timeoutMs`) at the limit; the signal's reason; whatever `fn` throws
 */
export function withLimit<T>(
  fn: (signal: AbortSignal) => T | PromiseLike<T>,
  { limitMs, signal, clock = systemClock }: LimitOptions,
): Promise<T> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) {
      reject(signal.reason);
      return;
    }
    const controller = new AbortController();
    const end = (reason: unknown): void => {
      release();
      reject(reason);
      controller.abort(reason);
    };
    const abort = (): void => end(signal?.reason);
    const timer =
      limitMs > LONGEST_TIMER_MS ? undefined : clock.setTimer(() => end(timedOut(limitMs)), limitMs);
    const release = (): void => {
      timer?.cancel();
      signal?.removeEventListener('abort', abort);
    };
    signal?.addEventListener('abort', abort, { once: true });
    // `call` is async, so that an `fn` that throws at once ends like one that rejects.
    call(fn, controller.signal).then(
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

async function call<T>(fn: (signal: AbortSignal) => T | PromiseLike<T>, signal: AbortSignal): Promise<T> {
  return await fn(signal);
}

function timedOut(limitMs: number): GaterError {
  const timeoutMs = Math.round(limitMs);
  return new GaterError('timeout', `no answer within ${timeoutMs} ms`, { details: { timeoutMs } });
}
