import type { Clock } from '@esdb-gater/types';
import { onAbort } from './on-abort.ts';

export interface SleepOptions {
  /** The timer does not keep the process alive. @default false */
  readonly unref?: boolean;
}

/**
 * Waits `delayMs`. Removes its timer and listener in any case.
 *
 * @throws the signal's reason as soon as it aborts
 */
export function sleep(
  delayMs: number,
  clock: Pick<Clock, 'setTimer'>,
  signal: AbortSignal | undefined,
  options: SleepOptions = {},
): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = (): void => {
      stopListening();
      resolve();
    };
    const timer = clock.setTimer(end, delayMs, options);
    const stopListening = onAbort(signal, (reason) => {
      timer.cancel();
      reject(reason);
    });
  });
}
