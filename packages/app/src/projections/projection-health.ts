import { GaterError } from '@esdb-gater/types';

/**
 * What a projection is doing:
 *
 * - `idle`: not started, or stopped;
 * - `catching_up`: it applies events that are there already;
 * - `live`: it has applied every event, and applies each new one;
 * - `retrying`: an event or a connection failed, and it tries again;
 * - `failed`: it has given up; `error` says why. `start` tries again;
 * - `rebuild_needed`: the event store no longer has what was applied (restored, or begun anew): call `rebuild`;
 * - `replaced`: a newer version of the projection is live.
 */
export type ProjectionStatus =
  | 'idle'
  | 'catching_up'
  | 'live'
  | 'retrying'
  | 'failed'
  | 'rebuild_needed'
  | 'replaced';

export interface ProjectionProblem {
  readonly message: string;
  /** The code of a `GaterError`. */
  readonly code?: string;
  /** The position of the event that failed. */
  readonly position?: number;
  /** How often in a row it has failed. */
  readonly attempts: number;
}

/** How one generation is doing. */
export interface GenerationHealth {
  readonly generation: number;
  readonly version: number;
  readonly status: ProjectionStatus;
  /** The position of the last event that was applied and committed. */
  readonly position: number;
  /** Why it is not well. */
  readonly error?: ProjectionProblem;
}

export interface ProjectionHealth {
  readonly name: string;
  readonly status: ProjectionStatus;
  /** The generation that readers see. Absent before `start`. */
  readonly live?: GenerationHealth;
  /** The generation that is built next to it. */
  readonly rebuild?: GenerationHealth;
}

/** How far a projection is behind its events. */
export interface ProjectionLag {
  /** How many positions of the store it is behind; 0 when no event waits. */
  readonly positions: number;
  /** How long ago the oldest event that waits was recorded; 0 when none waits. */
  readonly ms: number;
}

/** A commit of a projection. */
export interface ProjectionProgress {
  readonly name: string;
  readonly generation: number;
  readonly isLive: boolean;
  /** The position of the last event of the commit. */
  readonly position: number;
  /** How many events it applied. */
  readonly events: number;
  /** How long ago the last event of the commit was recorded. */
  readonly lagMs: number;
}

/** Describes an error for `health`. */
export function problemOf(error: unknown, attempts: number, position?: number): ProjectionProblem {
  const message = error instanceof Error ? error.message : String(error);
  return {
    message,
    attempts,
    ...(GaterError.is(error) ? { code: error.code } : {}),
    ...(position === undefined ? {} : { position }),
  };
}
