// Peer: a socket.io 4 server with rooms, WebSocket only, compression off. Prints its port.
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

interface PeerSocket {
  join(room: string): void;
  on(event: string, listener: (...args: never[]) => void): void;
}

interface PeerServer {
  on(event: 'connection', listener: (socket: PeerSocket) => void): void;
  to(room: string): { emit(event: string, message: unknown): void };
}

const require = createRequire(join(import.meta.dirname, '..', '..', 'peers', 'package.json'));
const { Server } = require('socket.io') as { Server: new (http: unknown, options: object) => PeerServer };

const http = createServer();
const io = new Server(http, { transports: ['websocket'], perMessageDeflate: false });
io.on('connection', (socket) => {
  socket.on('subscribe', (room: string, done: () => void) => {
    socket.join(room);
    done();
  });
  socket.on('publish', (room: string, message: unknown, done: () => void) => {
    io.to(room).emit('message', { topic: room, message });
    done();
  });
});
http.listen(0, '127.0.0.1', () => {
  process.stdout.write(`${JSON.stringify({ port: (http.address() as AddressInfo).port })}\n`);
});
