import { closeSync, openSync, unlinkSync, writeFileSync } from 'node:fs';
import { type Identity, identityFromJson } from '@esdb-gater/security';
import { GaterError } from '@esdb-gater/types';
import { readTextFile as readText, systemProblem } from '../config/read-text-file.ts';
import { UsageError } from './exit.ts';

const PRIVATE_MODE = 0o600;

/** More than any token, identity or file of certificates has. */
const MAX_FILE_BYTES = 1_048_576;

/** Writes a new file that only its owner may read. Never overwrites a file. @throws UsageError */
export function writePrivateFile(file: string, text: string): void {
  let handle: number;
  try {
    handle = openSync(file, 'wx', PRIVATE_MODE);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new UsageError(
      code === 'EEXIST'
        ? `${file} exists already and is not overwritten`
        : `cannot write ${file}: ${systemProblem(error)}`,
    );
  }
  try {
    writeFileSync(handle, `${text}\n`, { flush: true });
  } catch (error) {
    // A part of a key is of no use, and would stand in the way of the next attempt.
    unlinkSync(file);
    throw new UsageError(`cannot write ${file}: ${systemProblem(error)}`);
  } finally {
    closeSync(handle);
  }
}

/** Reads a text file of at most 1 MiB, without white space around it. @throws UsageError */
export function readTextFile(flag: string, file: string): string {
  try {
    return readText(file, MAX_FILE_BYTES).trim();
  } catch (error) {
    throw new UsageError(`${flag}: cannot read ${file}: ${(error as Error).message}`);
  }
}

/** Reads the identity in a file. Errors never contain a part of the file. @throws UsageError */
export function readIdentity(file: string, flag = '--identity'): Identity {
  const text = readTextFile(flag, file);
  try {
    return identityFromJson(JSON.parse(text));
  } catch (error) {
    throw new UsageError(
      `${flag} must be an identity file, got ${file}${GaterError.is(error) ? `: ${error.message}` : ''}`,
    );
  }
}
