/**
 * Calls `run` once with the signal's reason when it aborts: before this function returns, if it has already aborted.
 *
 * @returns a function that removes the listener
 */
export function onAbort(signal: AbortSignal | undefined, run: (reason: unknown) => void): () => void {
  if (signal === undefined) return nothingToRemove;
  if (signal.aborted) {
    run(signal.reason);
    return nothingToRemove;
  }
  const listener = (): void => run(signal.reason);
  signal.addEventListener('abort', listener, { once: true });
  return () => signal.removeEventListener('abort', listener);
}

function nothingToRemove(): void {}
