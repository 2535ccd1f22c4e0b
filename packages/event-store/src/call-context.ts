import { watchLimits } from '@esdb-gater/primitives';
import { type CallContext, type Clock, GaterError } from '@esdb-gater/types';

/** The error of a call whose caller no longer waits: what the signal says when that is ours, else `timeout`. */
export function endedError(signal?: AbortSignal): GaterError {
  if (GaterError.is(signal?.reason)) return signal.reason;
  return new GaterError('timeout', 'the caller stopped waiting before the store answered', {
    cause: signal?.reason,
  });
}

/** @throws `timeout` when the caller has stopped waiting already */
export function throwIfEnded(context: CallContext | undefined): void {
  if (context?.signal?.aborted === true) throw endedError(context.signal);
  if (context?.deadlineMs !== undefined && context.deadlineMs <= 0) throw endedError();
}

/**
 * Calls `onEnd` once when the caller stops waiting. Costs nothing for a call without signal and deadline.
 *
 * @returns what stops the watching; call it when the answer is there
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
