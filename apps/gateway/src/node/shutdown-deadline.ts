import { finishesWithin } from '@esdb-gater/primitives';
import type { Clock } from '@esdb-gater/types';

/**
 * The parts of the time limit at which the steps of a graceful stop end, whoever is connected. The calls in flight come
 * first, then the sockets, those of the probes last, then the clean-up; a part is reserved for writing the log.
 */
export const SHUTDOWN_SHARES = Object.freeze({
  calls: 0.5,
  webSockets: 0.6,
  requests: 0.65,
  probes: 0.7,
  cleanup: 0.85,
});

/** The time limit of a graceful stop, which its steps share. */
export interface ShutdownDeadline {
  /** Waits for `step` until this share of the time has passed, by default all. Resolves to whether it ended in time. */
  within(step: Promise<unknown>, share?: number): Promise<boolean>;
  /** Milliseconds left until this share of the time has passed. */
  leftMs(share: number): number;
}

export function createShutdownDeadline(clock: Clock, graceMs: number): ShutdownDeadline {
  const start = clock.monotonic();
  const leftMs = (share: number): number => Math.max(0, start + graceMs * share - clock.monotonic());
  return {
    leftMs,
    within: (step, share = 1) => finishesWithin(Promise.allSettled([step]), leftMs(share), clock),
  };
}
