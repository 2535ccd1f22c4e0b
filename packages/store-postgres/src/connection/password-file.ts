import { readFile, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { GaterError, type Logger } from '@esdb-gater/types';
import type { ConnectionSettings, Host } from './connection-url.ts';

/** The permissions that others must not have on a file with passwords. */
const OTHERS = 0o077;

/**
 * Finds the password for a host: that of the connection string, else that of the password file (libpq's format:
 * `host:port:database:user:password`, `*` for any). The file is read at every connection, so that a password can be changed.
 *
 * @throws `unavailable` when a file that the connection string names cannot be read
 */
export async function findPassword(
  settings: ConnectionSettings,
  { host, port }: Host,
  logger: Logger,
): Promise<string | undefined> {
  if (settings.password !== undefined) return settings.password;
  const file = settings.passfile ?? join(homedir(), '.pgpass');
  let text: string;
  try {
    const { mode } = await stat(file);
    if ((mode & OTHERS) !== 0) {
      logger.warn({ file }, 'ignored the password file: others can read it; its mode must be 0600');
      return undefined;
    }
    text = await readFile(file, 'utf8');
  } catch (error) {
    if (settings.passfile === undefined) return undefined;
    const { code = String(error) } = error as NodeJS.ErrnoException;
    throw new GaterError('unavailable', `cannot read the password file ${file}: ${code}`, { cause: error });
  }
  return passwordIn(text, [host, String(port), settings.database, settings.user]);
}

/** Returns the password of the first line that matches host, port, database and user. */
export function passwordIn(text: string, wanted: readonly string[]): string | undefined {
  for (const line of text.split(/\r?\n/)) {
    if (line.startsWith('#')) continue;
    const fields = splitFields(line);
    if (fields.length !== wanted.length + 1) continue;
    if (wanted.every((value, index) => fields[index] === '*' || fields[index] === value)) {
      return fields[wanted.length];
    }
  }
  return undefined;
}

/** Splits a line at colons. A backslash makes the character after it a plain one. */
function splitFields(line: string): string[] {
  const fields: string[] = [];
  let field = '';
  for (let index = 0; index < line.length; index += 1) {
    const character = line[index] as string;
    if (character === ':' && fields.length < 4) {
      fields.push(field);
      field = '';
    } else if (character === '\\' && index + 1 < line.length) {
      index += 1;
      field += line[index];
    } else {
      field += character;
    }
  }
  fields.push(field);
  return fields;
}
