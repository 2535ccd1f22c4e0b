import { finishesWithin } from '@esdb-gater/primitives';
import type { Clock } from '@esdb-gater/types';

/** The time limit of a graceful stop, which its steps share. */
export interface ShutdownDeadline {
  /** Waits for `step` within the time left. Resolves to whether the step ended in time. */
  within(step: Promise<unknown>): Promise<boolean>;
}

export function createShutdownDeadline(clock: Clock, graceMs: number): ShutdownDeadline {
  const end = clock.monotonic() + graceMs;
  return {
    within: (step) => finishesWithin(Promise.allSettled([step]), end - clock.monotonic(), clock),
  };
}
