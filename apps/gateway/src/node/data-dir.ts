import { randomBytes, randomUUID } from 'node:crypto';
import { chmod, mkdir, readdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { GaterError } from '@esdb-gater/types';
import { PRIVATE_FOLDER_MODE, PRIVATE_MODE, writeFileAtomic } from './atomic-file.ts';
import { lockFolder } from './folder-lock.ts';

/** The folder of a gateway's files. Only one gateway at a time can hold it. */
export interface DataDir {
  /** Absolute. */
  readonly path: string;
  /** Returns the absolute path of a file in it. */
  file(...parts: string[]): string;
  /** Returns the text of a file in this folder; creates it with `make` when it does not exist. */
  keep(name: string, make: () => string): Promise<string>;
  release(): Promise<void>;
}

/**
 * Creates the folder if it does not exist, makes it and its files private, and locks it.
 *
 * @throws `unavailable` when another gateway holds it or it cannot be written
 */
export async function openDataDir(folder: string): Promise<DataDir> {
  const path = resolve(folder);
  const lock = await mkdir(path, { recursive: true, mode: PRIVATE_FOLDER_MODE })
    .then(() => makePrivate(path))
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
    keep: (name, make) => keepFile(file(name), make),
    release: () => lock.release(),
  };
}

/** Returns the text of `file`, created with `make` at the first time. Makes the file private unless it is already. */
export async function keepFile(file: string, make: () => string): Promise<string> {
  const kept = await readOptional(file);
  if (kept !== undefined) {
    await chmod(file, PRIVATE_MODE).catch(() => undefined);
    return kept.trim();
  }
  const made = make();
  await writeFileAtomic(file, `${made}\n`);
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

/**
 * Makes a folder and its content accessible to the owner only, since it contains keys, secrets and all events. Files
 * may stem from a version that was less strict, or from a backup. Skips links and files of other owners.
 */
async function makePrivate(folder: string): Promise<void> {
  await chmod(folder, PRIVATE_FOLDER_MODE).catch(() => undefined);
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) await makePrivate(path);
    else if (entry.isFile() || entry.isSocket()) await chmod(path, PRIVATE_MODE).catch(() => undefined);
  }
}

/** Returns the id of this node: the configured one, else the one created at the first start. */
export async function nodeIdOf(dataDir: DataDir, configured: string | null): Promise<string> {
  return configured ?? dataDir.keep('node-id', () => randomUUID());
}

/** Returns the HMAC secret that `publish --sign` on the same machine finds: 32 random bytes as base64url. */
export async function keptSecret(dataDir: DataDir): Promise<string> {
  return dataDir.keep('hmac-secret', () => randomBytes(32).toString('base64url'));
}
