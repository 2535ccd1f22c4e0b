import { GaterError, type Logger } from '@esdb-gater/types';

/** Holds the listeners that are called after each commit. One that throws is logged and does not fail the append. */
export interface CommitListeners {
  /** True while there are listeners. */
  readonly any: boolean;
  add(listener: (position: number) => void): () => void;
  notify(position: number): void;
  clear(): void;
}

export function createCommitListeners(logger: Logger): CommitListeners {
  const listeners = new Set<{ readonly run: (position: number) => void }>();
  return {
    get any() {
      return listeners.size > 0;
    },
    add(run) {
      // Wrapped, so that a function added twice is called twice and removed once at a time.
      const entry = { run };
      listeners.add(entry);
      return () => {
        listeners.delete(entry);
      };
    },
    notify(position) {
      for (const { run } of listeners) {
        try {
          run(position);
        } catch (error) {
          logger.error({ err: GaterError.from(error), position }, 'a commit listener threw');
        }
      }
    },
    clear: () => listeners.clear(),
  };
}
