import { type Clock, GaterError, systemClock } from '@esdb-gater/types';
import { onAbort } from './on-abort.ts';

/** The longest delay that a timer of Node or a browser takes; one millisecond more fires at once. */
export const MAX_TIMER_MS = 2_147_483_647;

/** The limits of a wait. */
export interface Limits {
  /** The caller's. */
  readonly signal?: AbortSignal | undefined;
  /** Makes the error of the signal's reason. @default the reason itself */
  readonly abortError?: ((reason: unknown) => unknown) | undefined;
  /** Milliseconds from the call on. More than {@link MAX_TIMER_MS} means no limit. @default no limit */
  readonly timeoutMs?: number | undefined;
  /** Makes the error of the time limit. @default `timeout` with `timeoutMs` */
  readonly timeoutError?: ((timeoutMs: number) => unknown) | undefined;
  /** Measures `timeoutMs`. @default the platform's */
  readonly clock?: Pick<Clock, 'setTimer'> | undefined;
  /** The timer does not keep the process alive. @default false */
  readonly unref?: boolean | undefined;
}

/**
 * Calls `onOver` once with the error of the first limit that is reached: before this function returns, if the signal
 * has already aborted. Leaves neither timer nor listener behind.
 *
 * @returns a function that stops watching; call it when the wait has ended
 */
export function watchLimits(limits: Limits, onOver: (error: unknown) => void): () => void {
  const { signal, abortError, timeoutMs } = limits;
  if (timeoutMs === undefined || timeoutMs > MAX_TIMER_MS) {
    return onAbort(signal, abortError === undefined ? onOver : (reason) => onOver(abortError(reason)));
  }
  // Not by `onAbort`: every call to a gateway and to a store passes here, and each closure less counts.
  const { clock = systemClock, unref = false, timeoutError = timedOut } = limits;
  const stop = (): void => {
    timer.cancel();
    signal?.removeEventListener('abort', onAborted);
  };
  const onAborted = (): void => {
    stop();
    onOver(abortError === undefined ? signal?.reason : abortError(signal?.reason));
  };
  const onTimeout = (): void => {
    stop();
    onOver(timeoutError(timeoutMs));
  };
  const timer = clock.setTimer(onTimeout, timeoutMs, { unref });
  if (signal?.aborted === true) onAborted();
  else signal?.addEventListener('abort', onAborted, { once: true });
  return stop;
}

function timedOut(limitMs: number): GaterError {
  const timeoutMs = Math.round(limitMs);
  return new GaterError('timeout', `no answer within ${timeoutMs} ms`, { details: { timeoutMs } });
}
