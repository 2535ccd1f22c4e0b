/** Calls `run` in the next turn of the event loop. */
export function onNextTurn(run: () => void): void {
  // Browsers have no `setImmediate`.
  if (typeof setImmediate === 'function') setImmediate(run);
  else setTimeout(run, 0);
}

/** Resolves in the next turn of the event loop. */
export function nextTurn(): Promise<void> {
  return new Promise(onNextTurn);
}
