import { type Clock, systemClock } from '@esdb-gater/types';
import { watchLimits } from './limits.ts';

export interface LimitOptions {
  /** Milliseconds; `Infinity` is none. */
  readonly limitMs: number;
  /** The caller's; the call rejects with its reason. */
  readonly signal?: AbortSignal | undefined;
  readonly clock?: Clock;
  /** Makes the error of the time limit. @default `timeout` with `timeoutMs` */
  readonly timeoutError?: (limitMs: number) => unknown;
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
    // `call` is async, so that an `fn` that throws at once ends like one that rejects.
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
