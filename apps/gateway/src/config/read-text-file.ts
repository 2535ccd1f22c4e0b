import { closeSync, openSync, readSync } from 'node:fs';

const CHUNK_BYTES = 65_536;

/** Strict: invalid UTF-8 is an error and is not replaced. */
const UTF8 = new TextDecoder('utf-8', { fatal: true });

/**
 * Reads a text file of at most `maxBytes`. Never reads more, so that a wrong path (`/dev/zero`, a pipe, a database)
 * costs neither memory nor time.
 *
 * @throws an `Error` with a short message why the file cannot be read, without its content
 */
export function readTextFile(file: string, maxBytes: number): string {
  const parts: Buffer[] = [];
  let bytes = 0;
  let handle: number | undefined;
  try {
    handle = openSync(file, 'r');
    for (;;) {
      const part = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, maxBytes + 1 - bytes));
      const read = readSync(handle, part);
      if (read === 0) break;
      bytes += read;
      if (bytes > maxBytes) throw new Error(`it is larger than ${maxBytes} bytes`);
      parts.push(part.subarray(0, read));
    }
  } catch (error) {
    throw new Error(systemProblem(error), { cause: error });
  } finally {
    if (handle !== undefined) closeSync(handle);
  }
  try {
    return UTF8.decode(Buffer.concat(parts));
  } catch (error) {
    throw new Error('it is not valid UTF-8', { cause: error });
  }
}

/** Messages for the system's error codes. */
const PROBLEMS: Readonly<Record<string, string>> = {
  ENOENT: 'it does not exist',
  EISDIR: 'it is a directory',
  ENOTDIR: 'a part of its path is not a directory',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EEXIST: 'it exists already',
  ENOSPC: 'no space is left on the device',
  EDQUOT: 'the disk quota is used up',
  EROFS: 'the file system is read-only',
  EMFILE: 'too many files are open',
  ENFILE: 'too many files are open',
  EIO: 'the device reported an input/output error',
};

/** Describes an error of the system, with its code: `it does not exist (ENOENT)`. */
export function systemProblem(error: unknown): string {
  const { code, message } = error as Partial<NodeJS.ErrnoException>;
  if (code === undefined) return message ?? String(error);
  const words = Object.hasOwn(PROBLEMS, code) ? PROBLEMS[code] : undefined;
  return words === undefined ? (message ?? code) : `${words} (${code})`;
}
