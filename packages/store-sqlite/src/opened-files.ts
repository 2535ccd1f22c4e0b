import { realpathSync, statSync } from 'node:fs';

/** The database, its log, its index and the lock. */
const SUFFIXES = ['', '-wal', '-shm', '.lock'] as const;

/**
 * Remembers which files a store has opened. A deleted or replaced file stays open in this process, so that everything
 * would seem to work while nothing that is written survives the next start.
 */
export class OpenedFiles {
  readonly #identities: ReadonlyMap<string, string>;

  /** Call this after the log was opened. */
  constructor(file: string) {
    const path = realpathSync(file);
    const names = SUFFIXES.map((suffix) => `${path}${suffix}`);
    this.#identities = new Map(
      names.flatMap((name) => {
        const identity = identityOf(name);
        return identity === undefined ? [] : [[name, identity]];
      }),
    );
  }

  /** Returns what happened to a file since it was opened; undefined when all are in place. Takes a few microseconds. */
  problem(): string | undefined {
    for (const [name, identity] of this.#identities) {
      const now = identityOf(name);
      if (now === identity) continue;
      return `${name} was ${now === undefined ? 'deleted' : 'replaced'} while it was open`;
    }
    return undefined;
  }
}

function identityOf(path: string): string | undefined {
  try {
    const { dev, ino } = statSync(path);
    return `${dev}:${ino}`;
  } catch {
    return undefined;
  }
}
