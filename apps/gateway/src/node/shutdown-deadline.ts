import { finishesWithin } from '@esdb-gater/primitives';
import type { Clock } from '@esdb-gater/types';

/** The time that a graceful stop has, shared by its steps. */
export interface ShutdownDeadline {
  /** Waits for `step`, but no longer than what is left. Resolves to whether the step ended in time. */
  within(step: Promise<unknown>): Promise<boolean>;
}

export function createShutdownDeadline(clock: Clock, graceMs: number): ShutdownDeadline {
  const end = clock.monotonic() + graceMs;
  return {
    within: (step) => finishesWithin(Promise.allSettled([step]), end - clock.monotonic(), clock),
  };
}
