import { GaterError, type Logger } from '@esdb-gater/types';

/** Who wants to know of commits. One that throws is reported and fails no append. */
export interface CommitListeners {
  add(listener: (position: number) => void): () => void;
  notify(position: number): void;
  clear(): void;
}

export function createCommitListeners(logger: Logger): CommitListeners {
  const listeners = new Set<{ readonly run: (position: number) => void }>();
  return {
    add(run) {
      // An object of its own, so that one function added twice is told twice and removed one at a time.
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
