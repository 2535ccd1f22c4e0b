import { randomBytes, randomUUID } from 'node:crypto';
import { chmod, mkdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { GaterError } from '@esdb-gater/types';
import { PRIVATE_MODE, writeFileAtomic } from './atomic-file.ts';
import { lockFolder } from './folder-lock.ts';

/** The folder of a gateway's files. Only one gateway at a time can hold it. */
export interface DataDir {
  /** Absolute. */
  readonly path: string;
  /** Returns the absolute path of a file in it. */
  file(...parts: string[]): string;
  /** Returns the text of a file in this folder; creates it with `make` when it does not exist. */
  keep(name: string, make: () => string, mode?: number): Promise<string>;
  release(): Promise<void>;
}

/**
 * Creates the folder if it does not exist, and locks it.
 *
 * @throws `unavailable` when another gateway holds it or it cannot be written
 */
export async function openDataDir(folder: string): Promise<DataDir> {
  const path = resolve(folder);
  const lock = await mkdir(path, { recursive: true })
    .then(() => lockFolder(path))
    .catch((error: unknown) => {
      if (GaterError.is(error)) throw error;
      const { code } = error as NodeJS.ErrnoException;
      throw new GaterError('unavailable', `cannot use dataDir ${path}: ${code ?? String(error)}`, {
        cause: error,
      });
    });
  const file = (...parts: string[]): string => join(path, ...parts);
  return {
    path,
    file,
    keep: (name, make, mode) => keepFile(file(name), make, mode),
    release: () => lock.release(),
  };
}

/** The text of `file`, made by `make` at the first time. A private file is made private again where it is not. */
export async function keepFile(file: string, make: () => string, mode?: number): Promise<string> {
  const kept = await readOptional(file);
  if (kept !== undefined) {
    if (mode === PRIVATE_MODE) await chmod(file, PRIVATE_MODE).catch(() => undefined);
    return kept.trim();
  }
  const made = make();
  await writeFileAtomic(file, `${made}\n`, mode);
  return made;
}

/** Returns the text of `file`, or undefined when it does not exist. */
export async function readOptional(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new GaterError('unavailable', `cannot read ${file}: ${(error as NodeJS.ErrnoException).code}`, {
      cause: error,
    });
  }
}

/** Returns the id of this node: the configured one, else the one created at the first start. */
export async function nodeIdOf(dataDir: DataDir, configured: string | null): Promise<string> {
  return configured ?? dataDir.keep('node-id', () => randomUUID());
}

/** Returns the HMAC secret that `publish --sign` on the same machine finds: 32 random bytes as base64url. */
export async function keptSecret(dataDir: DataDir): Promise<string> {
  return dataDir.keep('hmac-secret', () => randomBytes(32).toString('base64url'), PRIVATE_MODE);
}
