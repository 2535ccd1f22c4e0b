/** How far a generation of a projection is. */
export interface ProjectionCheckpoint {
  /** The position of the last event that was applied; 0 before the first. */
  readonly position: number;
  /** The id of that event, which proves that the store still has it. */
  readonly eventId?: string;
}

/** One build of a read model. Readers see the live one; a rebuild makes another next to it. */
export interface ProjectionGeneration extends ProjectionCheckpoint {
  /** From 1; grows with each rebuild. */
  readonly generation: number;
  /** The version of the code that builds it. */
  readonly version: number;
  readonly isLive: boolean;
}

/** A transaction of a read model. Exactly one of `commit` and `rollback` must be called. */
export interface ProjectionTransaction<Model> {
  /** What `handle` writes to. */
  readonly model: Model;
  /** Commits what was written together with the checkpoint. */
  commit(checkpoint: ProjectionCheckpoint): Promise<void>;
  rollback(): Promise<void>;
}

/**
 * Why a transaction was not opened. `moved`: another process has applied events in the meantime; `replaced`: another
 * generation is live and this one is gone.
 */
export type NotOpened = 'moved' | 'replaced';

/**
 * Keeps read models and their checkpoints. The checkpoint is in the same transaction as what the events changed, so that each
 * event is applied exactly once, also after a crash and with several processes.
 */
export interface ProjectionStore<Model> {
  /** Returns the generations of a projection, oldest first; none for one that never ran. */
  generations(name: string): Promise<readonly ProjectionGeneration[]>;
  /**
   * Makes an empty generation with the next number, unless there is one of this version that is not live, and returns it. The
   * first generation of a projection is live at once.
   */
  create(name: string, version: number): Promise<ProjectionGeneration>;
  /** Begins a transaction of a generation whose checkpoint is still `position`. Waits for other transactions of it. */
  begin(
    name: string,
    generation: number,
    position: number,
  ): Promise<ProjectionTransaction<Model> | NotOpened>;
  /** Makes a generation live and removes all others, in one transaction. Returns false when it does not exist. */
  switchTo(name: string, generation: number): Promise<boolean>;
}
