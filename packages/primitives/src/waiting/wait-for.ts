import type { Clock } from '@esdb-gater/types';
import { type Limits, watchLimits } from './limits.ts';

/**
 * Settles as `promise` does, unless a limit comes first. What it gives after that is not looked at, and never an
 * unhandled rejection.
 *
 * @throws the signal's reason, or `timeout` (with `timeoutMs`), or what the limits make of them; what `promise`
 * rejects with
 */
export function waitFor<T>(promise: Promise<T>, limits: Limits): Promise<T> {
  if (limits.signal === undefined && limits.timeoutMs === undefined) return promise;
  return new Promise((resolve, reject) => {
    const stop = watchLimits(limits, reject);
    promise.then(
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

/**
 * Waits for `promise`, but no longer than `timeoutMs`. What it gives after that is not looked at.
 *
 * @returns true when it was fulfilled in time
 * @throws what it rejects with in time
 */
export function finishesWithin(
  promise: Promise<unknown>,
  timeoutMs: number,
  clock: Pick<Clock, 'setTimer'>,
  options: { readonly unref?: boolean } = {},
): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const timer = clock.setTimer(() => resolve(false), timeoutMs, options);
    promise.then(
      () => {
        timer.cancel();
        resolve(true);
      },
      (error: unknown) => {
        timer.cancel();
        reject(error);
      },
    );
  });
}
