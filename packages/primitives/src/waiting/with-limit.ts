import { type Clock, systemClock } from '@esdb-gater/types';
import { watchLimits } from './limits.ts';

export interface LimitOptions {
  /** Milliseconds; `Infinity` means no limit. */
  readonly limitMs: number;
  /** The caller's; the call rejects with its reason. */
  readonly signal?: AbortSignal | undefined;
  readonly clock?: Clock;
  /** Makes the error of the time limit. @default `timeout` with `timeoutMs` */
  readonly timeoutError?: (limitMs: number) => unknown;
}

/**
 * Runs `fn`, and settles with it, at the limit or at the abort of the caller's signal, whichever comes first.
 *
 * The signal that `fn` gets aborts with the same reason as the call. If `fn` ignores it, its later result is ignored
 * and never causes an unhandled rejection. Removes its timer and listener.
 *
 * @throws `timeout` (with `timeoutMs`) at the limit; the signal's reason; the error of `fn`
 */
export function withLimit<T>(
  fn: (signal: AbortSignal) => T | PromiseLike<T>,
  { limitMs, signal, clock = systemClock, timeoutError }: LimitOptions,
): Promise<T> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) {
      reject(signal.reason);
      return;
    }
    const controller = new AbortController();
    const stop = watchLimits({ signal, timeoutMs: limitMs, clock, timeoutError }, (reason) => {
      reject(reason);
      controller.abort(reason);
    });
    // `call` is async, so that a synchronous error of `fn` becomes a rejection.
    call(fn, controller.signal).then(
      (value) => {
        stop();
        resolve(value);
      },
      (error: unknown) => {
        stop();
        reject(error);
      },
    );
  });
}

async function call<T>(fn: (signal: AbortSignal) => T | PromiseLike<T>, signal: AbortSignal): Promise<T> {
  return await fn(signal);
}
