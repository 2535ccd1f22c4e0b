import { createHash } from 'node:crypto';
import { chmodSync } from 'node:fs';
import { realpath, unlink } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { GaterError } from '@esdb-gater/types';
import { PRIVATE_MODE } from './atomic-file.ts';

/** Longest path of a Unix socket: 108 bytes on Linux, 104 on macOS, with the closing zero. */
const MAX_SOCKET_PATH_BYTES = 103;

/**
 * The error codes for a socket in a file system that does not support sockets: network shares, FAT, folders shared with
 * a virtual machine.
 */
const NO_SOCKETS: ReadonlySet<string | undefined> = new Set([
  'ENOTSUP',
  'EOPNOTSUPP',
  'EPERM',
  'EINVAL',
  'ENOSYS',
]);

/**
 * Holds `folder` for this process until `release`.
 *
 * The lock is a listening local socket: the system releases it however the process ends, so that no clean-up is needed
 * after a kill, and a reused process id is not mistaken for the holder.
 *
 * @throws `unavailable` when another process holds the folder
 */
export async function lockFolder(
  folder: string,
  listen: ListenLocally = listenLocally,
): Promise<{ release(): Promise<void> }> {
  const real = await realpath(folder);
  const [inside, outside] = socketPaths(real, 'gateway.lock');
  const server = await hold(folder, inside, listen).catch((error: unknown) => {
    if (inside === outside || !NO_SOCKETS.has((error as NodeJS.ErrnoException).code)) throw error;
    return hold(folder, outside, listen);
  });
  server.unref();
  return { release: () => new Promise((resolve) => server.close(() => resolve())) };
}

/** @throws `unavailable` when another process holds the folder */
async function hold(folder: string, path: string, listen: ListenLocally): Promise<Server> {
  try {
    return await listen(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    if (await answers(path)) {
      throw new GaterError(
        'unavailable',
        `${folder} is in use by another gateway; configure a different dataDir for each gateway`,
      );
    }
    // Left behind by a killed process.
    await unlink(path);
    return listen(path);
  }
}

/** Returns the path of a local socket that belongs to a folder: in it, unless that path is too long for a socket. */
export function localSocketPath(folder: string, name: string): string {
  return socketPaths(folder, name)[0];
}

/** Returns the path of a socket, and the alternative path for a file system without sockets. */
function socketPaths(real: string, name: string): readonly [inside: string, outside: string] {
  const hash = createHash('sha256').update(real).digest('hex').slice(0, 24);
  if (process.platform === 'win32') {
    const pipe = `\\\\.\\pipe\\esdb-gater-${hash}${name === 'gateway.lock' ? '' : `-${name}`}`;
    return [pipe, pipe];
  }
  const inside = join(real, name);
  const outside = join(tmpdir(), `esdb-gater-${hash}${extname(name)}`);
  return [Buffer.byteLength(inside) <= MAX_SOCKET_PATH_BYTES ? inside : outside, outside];
}

export type ListenLocally = (path: string) => Promise<Server>;

/** Listens on a local socket that only its owner may connect to. */
export function listenLocally(path: string): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.once('error', reject);
    server.listen(path, () => {
      if (process.platform !== 'win32') chmodSync(path, PRIVATE_MODE);
      resolve(server);
    });
  });
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
