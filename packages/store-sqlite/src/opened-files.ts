import { realpathSync, type Stats, statSync } from 'node:fs';

/** The database, its log, its index and the lock. */
const SUFFIXES = ['', '-wal', '-shm', '.lock'] as const;

/**
 * Remembers which files a store has opened. A deleted or replaced file stays open in this process, so that everything
 * would seem to work while nothing that is written survives the next start.
 */
export class OpenedFiles {
  readonly #files: readonly OpenedFile[];

  /** Call this after the log was opened. */
  constructor(file: string) {
    const path = realpathSync(file);
    this.#files = SUFFIXES.flatMap((suffix) => {
      const name = `${path}${suffix}`;
      const stats = statsOf(name);
      return stats === undefined ? [] : [{ name, device: stats.dev, inode: stats.ino }];
    });
  }

  /** Returns what happened to a file since it was opened; undefined when all are in place. Takes a few microseconds. */
  problem(): string | undefined {
    for (const { name, device, inode } of this.#files) {
      const now = statsOf(name);
      if (now?.ino === inode && now.dev === device) continue;
      return `${name} was ${now === undefined ? 'deleted' : 'replaced'} while it was open`;
    }
    return undefined;
  }
}

interface OpenedFile {
  readonly name: string;
  readonly device: number;
  readonly inode: number;
}

const NO_THROW = { throwIfNoEntry: false } as const;

function statsOf(path: string): Stats | undefined {
  try {
    return statSync(path, NO_THROW);
  } catch {
    return undefined;
  }
}
