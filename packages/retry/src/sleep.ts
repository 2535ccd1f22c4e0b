import type { Clock } from '@esdb-gater/types';

/**
 * Waits `delayMs`. Leaves neither timer nor listener behind, however it ends.
 *
 * @throws the signal's reason as soon as it aborts
 */
export function sleep(delayMs: number, clock: Clock, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = (): void => {
      timer.cancel();
      reject(signal?.reason);
    };
    const timer = clock.setTimer(() => {
      signal?.removeEventListener('abort', abort);
      resolve();
    }, delayMs);
    signal?.addEventListener('abort', abort, { once: true });
  });
}
