import { createRequire } from 'node:module';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { WebSocket } from 'ws';

/** One connection of the load: the client interface of the bench, for both servers. */
export interface LoadClient {
  subscribe(topic: string, received: (sequence: number) => void): Promise<void>;
  publish(topic: string, message: object): Promise<void>;
  close(): void;
}

interface IoSocket {
  on(event: string, listener: (value: { message: { seq: number } }) => void): void;
  emitWithAck(event: string, ...args: unknown[]): Promise<unknown>;
  once(event: string, listener: () => void): void;
  close(): void;
}

export async function openSocketIo(url: string): Promise<LoadClient> {
  const require = createRequire(join(import.meta.dirname, '..', 'peers', 'package.json'));
  const { io } = require('socket.io-client') as { io(url: string, options: object): IoSocket };
  const socket = io(url, { transports: ['websocket'], forceNew: true });
  await new Promise<void>((resolve) => socket.once('connect', resolve));
  return {
    async subscribe(topic, received) {
      socket.on('message', ({ message }) => received(message.seq));
      await socket.emitWithAck('subscribe', topic);
    },
    async publish(topic, message) {
      await socket.emitWithAck('publish', topic, message);
    },
    close: () => socket.close(),
  };
}

const SEQUENCE = '"seq":';

/** Messages of one turn are sent in one write, as by the project's client. */
function gather(tcp: Socket): void {
  if (tcp.writableCorked > 0) return;
  tcp.cork();
  setImmediate(() => tcp.uncork());
}

/** Implements the gateway's protocol with only `ws`, so that the client costs as little as possible. */
export async function openGateway(url: string): Promise<LoadClient> {
  const socket = new WebSocket(url, 'esdb-gater.v1', { perMessageDeflate: false });
  const pending = new Map<number, { resolve(): void; reject(error: Error): void }>();
  let received: (sequence: number) => void = () => undefined;
  let nextId = 1;
  socket.on('message', (data: Buffer) => {
    const text = data.toString('latin1');
    if (text.includes('"method":"message"')) {
      received(Number.parseInt(text.slice(text.indexOf(SEQUENCE) + SEQUENCE.length), 10));
      return;
    }
    const answer = JSON.parse(text) as {
      readonly id?: number;
      readonly error?: { readonly message: string };
    };
    const waiting = pending.get(answer.id ?? 0);
    pending.delete(answer.id ?? 0);
    if (answer.error === undefined) waiting?.resolve();
    else waiting?.reject(new Error(answer.error.message));
  });
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
  const { _socket: tcp } = socket as unknown as { readonly _socket: Socket };
  const call = (method: string, params: object): Promise<void> =>
    new Promise((resolve, reject) => {
      const id = nextId++;
      pending.set(id, { resolve, reject });
      gather(tcp);
      socket.send(JSON.stringify({ jsonrpc: '2.0', id, method, params }));
    });
  return {
    subscribe(topic, listener) {
      received = listener;
      return call('subscribe', { channel: 'system', topic });
    },
    publish: (topic, message) => call('publish', { channel: 'system', topic, message }),
    close: () => socket.terminate(),
  };
}
