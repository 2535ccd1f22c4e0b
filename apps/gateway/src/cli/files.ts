import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import { type Identity, identityFromJson } from '@esdb-gater/security';
import { GaterError } from '@esdb-gater/types';
import { UsageError } from './exit.ts';

const PRIVATE_MODE = 0o600;

/** Writes a new file that only its owner may read. One that is there is never overwritten. */
export function writePrivateFile(file: string, text: string): void {
  let handle: number;
  try {
    handle = openSync(file, 'wx', PRIVATE_MODE);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new UsageError(
      code === 'EEXIST'
        ? `${file} is there already and is not overwritten`
        : `cannot write ${file}: ${message}`,
    );
  }
  writeSync(handle, `${text}\n`);
  closeSync(handle);
}

/** The text of a file, without the white space around it. @throws UsageError */
export function readTextFile(flag: string, file: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    throw new UsageError(`${flag}: cannot read ${file}: ${(error as Error).message}`);
  }
}

/** The identity in a file. What is wrong with it is told without a word of its content. @throws UsageError */
export function readIdentity(file: string, flag = '--identity'): Identity {
  const text = readTextFile(flag, file);
  try {
    return identityFromJson(JSON.parse(text));
  } catch (error) {
    throw new UsageError(
      `${flag}: ${file} holds no identity${GaterError.is(error) ? `: ${error.message}` : ''}`,
    );
  }
}
