// What several packages need and none of them owns. Nothing in here reads a file, opens a socket or keeps state of its own.

// Collections
export { AsyncQueue, type AsyncQueueOptions } from './collections/async-queue.ts';
export { Fifo } from './collections/fifo.ts';
export { GenerationMap, GenerationSet } from './collections/generation-map.ts';
// Waiting
export { type Limits, MAX_TIMER_MS, watchLimits } from './waiting/limits.ts';
export { nextTurn, onNextTurn } from './waiting/next-turn.ts';
export { onAbort } from './waiting/on-abort.ts';
export { type RetryUntilAbortedOptions, retryUntilAborted } from './waiting/retry-until-aborted.ts';
export { SingleFlight } from './waiting/single-flight.ts';
export { type SleepOptions, sleep } from './waiting/sleep.ts';
export { finishesWithin, waitFor } from './waiting/wait-for.ts';
export { waitUntil } from './waiting/wait-until.ts';
export { type LimitOptions, withLimit } from './waiting/with-limit.ts';
