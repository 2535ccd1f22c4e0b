import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { printed, serverOf } from '../../lib/server-process.ts';
import type { LoadClient, System } from '../systems.ts';

interface IoSocket {
  on(event: string, listener: (value: { message: object }) => void): void;
  emitWithAck(event: string, ...args: unknown[]): Promise<unknown>;
  once(event: string, listener: () => void): void;
  close(): void;
}

/** Peer: a socket.io 4 server with rooms. */
export const socketIo: System = {
  absent: undefined,

  async start() {
    const child = spawn(process.execPath, [join(import.meta.dirname, 'socket-io-server.ts')], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    return serverOf(child, `http://127.0.0.1:${await printed(child, 'port')}`);
  },

  async open(url): Promise<LoadClient> {
    const require = createRequire(join(import.meta.dirname, '..', '..', 'peers', 'package.json'));
    const { io } = require('socket.io-client') as { io(url: string, options: object): IoSocket };
    const socket = io(url, { transports: ['websocket'], forceNew: true });
    await new Promise<void>((resolve) => socket.once('connect', resolve));
    return {
      async subscribe(topic, received) {
        socket.on('message', ({ message }) => received(JSON.stringify(message)));
        await socket.emitWithAck('subscribe', topic);
      },
      async publish(topic, message) {
        await socket.emitWithAck('publish', topic, JSON.parse(message));
      },
      close: () => socket.close(),
    };
  },
};
