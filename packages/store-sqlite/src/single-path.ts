import { readFileSync, statSync } from 'node:fs';
import { GaterError } from '@esdb-gater/types';

/** The mounts of this process's namespace. Only Linux has it. */
const MOUNTS = '/proc/self/mountinfo';

/**
 * Checks that a file is known by one path only. SQLite keeps the log, and this package the lock, next to the path: two
 * paths to one file would have two logs and two locks, and each process would overwrite what the other acknowledged.
 *
 * A folder may be mounted twice, because both paths then show the same log and lock.
 *
 * @param path without symbolic links
 * @throws `unavailable` when the file has a hard link or is itself a mount point
 */
export function requireSinglePath(path: string): void {
  const links = linksOf(path);
  if (links > 1) {
    throw new GaterError(
      'unavailable',
      `the file ${path} must have one name, got ${links} hard links; remove the others (find them with find -samefile), or open a copy`,
    );
  }
  if (links === 1 && isMountPoint(path)) {
    throw new GaterError(
      'unavailable',
      `the file ${path} must not be a mount point, because its log would not be shared; mount its folder instead`,
    );
  }
}

function linksOf(path: string): number {
  const found = statSync(path, { throwIfNoEntry: false });
  return found?.isFile() === true ? found.nlink : 0;
}

function isMountPoint(path: string): boolean {
  let mounts: string;
  try {
    mounts = readFileSync(MOUNTS, 'utf8');
  } catch {
    return false;
  }
  return mounts.split('\n').some((line) => unescapeOctal(line.split(' ')[4] ?? '') === path);
}

/** Decodes `\040` and the like, with which the kernel writes blanks, line breaks and backslashes. */
function unescapeOctal(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_match, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}
