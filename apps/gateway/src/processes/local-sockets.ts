import { chmodSync } from 'node:fs';
import { unlink } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { GaterError } from '@esdb-gater/types';
import { PRIVATE_MODE } from '../node/atomic-file.ts';
import { MAX_LINE_BYTES } from './broker-calls.ts';
import { createLineTransport, type LineTransport } from './line-transport.ts';

/** A server on a local socket, which only its owner may connect to. */
export interface LocalServer {
  close(): Promise<void>;
}

/** Unsent bytes at which a server stops reading from a connection. */
const PAUSE_ABOVE_BYTES = 8_388_608;

/**
 * Listens on a local socket. A socket that a killed process has left at `path` gives way: the caller holds the folder.
 *
 * @throws `unavailable` when the socket cannot be made
 */
export async function listenOnLocalSocket(
  path: string,
  onConnection: (transport: LineTransport) => void,
): Promise<LocalServer> {
  await unlink(path).catch(() => undefined);
  const server: Server = createServer((socket) =>
    onConnection(
      createLineTransport(socket, { maxLineBytes: MAX_LINE_BYTES, pauseAboveBytes: PAUSE_ABOVE_BYTES }),
    ),
  );
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(
        new GaterError('unavailable', `cannot listen on the local socket ${path}: ${error.code}`, {
          cause: error,
        }),
      ),
    );
    server.listen(path, resolve);
  });
  chmodSync(path, PRIVATE_MODE);
  return { close: () => new Promise((resolve) => server.close(() => resolve())) };
}

/** Connects to a local socket. @throws `unavailable` when nobody listens there; the signal's reason */
export function connectToLocalSocket(path: string, signal: AbortSignal): Promise<LineTransport> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path, signal });
    const onError = (error: Error): void =>
      reject(
        signal.aborted
          ? signal.reason
          : new GaterError('unavailable', `cannot connect to the local socket ${path}`, { cause: error }),
      );
    socket.once('error', onError);
    socket.once('connect', () => {
      socket.off('error', onError);
      resolve(createLineTransport(socket, { maxLineBytes: MAX_LINE_BYTES }));
    });
  });
}
