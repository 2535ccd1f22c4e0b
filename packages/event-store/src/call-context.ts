import { watchLimits } from '@esdb-gater/primitives';
import { type CallContext, type Clock, GaterError } from '@esdb-gater/types';

/** Returns the error of a call whose caller stopped waiting: the signal's reason when it is a `GaterError`, else `timeout`. */
export function endedError(signal?: AbortSignal): GaterError {
  if (GaterError.is(signal?.reason)) return signal.reason;
  return new GaterError('timeout', 'the caller stopped waiting before the store answered', {
    cause: signal?.reason,
  });
}

/** Throws when the caller has already stopped waiting. @throws `timeout` */
export function throwIfEnded(context: CallContext | undefined): void {
  if (context?.signal?.aborted === true) throw endedError(context.signal);
  if (context?.deadlineMs !== undefined && context.deadlineMs <= 0) throw endedError();
}

/**
 * Calls `onEnd` once when the caller stops waiting. Free for a call without a signal and a deadline.
 *
 * @returns a function that stops watching; call it when the answer has arrived
 */
export function watchContext(
  context: CallContext | undefined,
  clock: Clock,
  onEnd: (error: GaterError) => void,
): (() => void) | undefined {
  const { signal, deadlineMs } = context ?? {};
  if (signal === undefined && deadlineMs === undefined) return undefined;
  const limits = {
    signal,
    abortError: () => endedError(signal),
    timeoutMs: deadlineMs,
    timeoutError: () => endedError(),
    clock,
    unref: true,
  };
  return watchLimits(limits, (error) => onEnd(GaterError.from(error)));
}
