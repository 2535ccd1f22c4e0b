import { createHash } from 'node:crypto';
import { realpath, unlink } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GaterError } from '@esdb-gater/types';

/** Longest path of a Unix socket: 108 bytes on Linux, 104 on macOS, with the closing zero. */
const MAX_SOCKET_PATH_BYTES = 103;

/**
 * Holds `folder` for this process until `release`.
 *
 * The lock is a listening local socket: the system releases it however the process ends, so that nobody has to clean up
 * after a kill, and a reused process id cannot be mistaken for the holder.
 *
 * @throws `unavailable` when another process holds the folder
 */
export async function lockFolder(folder: string): Promise<{ release(): Promise<void> }> {
  const path = await socketPath(folder);
  let server: Server;
  try {
    server = await listen(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    if (await answers(path)) {
      throw new GaterError(
        'unavailable',
        `${folder} is in use by another gateway; give each its own dataDir`,
      );
    }
    // What a killed process left behind.
    await unlink(path);
    server = await listen(path);
  }
  server.unref();
  return { release: () => new Promise((resolve) => server.close(() => resolve())) };
}

async function socketPath(folder: string): Promise<string> {
  const real = await realpath(folder);
  const hash = createHash('sha256').update(real).digest('hex').slice(0, 24);
  if (process.platform === 'win32') return `\\\\.\\pipe\\esdb-gater-${hash}`;
  const inside = join(real, 'gateway.lock');
  return Buffer.byteLength(inside) <= MAX_SOCKET_PATH_BYTES
    ? inside
    : join(tmpdir(), `esdb-gater-${hash}.lock`);
}

function listen(path: string): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.once('error', reject);
    server.listen(path, () => resolve(server));
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
