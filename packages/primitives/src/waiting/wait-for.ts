import type { Clock } from '@esdb-gater/types';
import { type Limits, watchLimits } from './limits.ts';

/**
 * Settles as `promise` does, unless a limit comes first. A later result is ignored and never causes an unhandled
 * rejection.
 *
 * @throws the signal's reason, or `timeout` (with `timeoutMs`), or the errors of the limits; the error of `promise`
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
 * Waits for `promise`, but no longer than `timeoutMs`. A later result is ignored.
 *
 * @returns true when it was fulfilled in time
 * @throws its error, if it rejects in time
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
