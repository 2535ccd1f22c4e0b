import { EventEmitter } from 'node:events';
import type { Server } from 'node:http';
import { expect, test } from 'vitest';
import { watchSockets } from './port-sockets.ts';

let lastPort = 0;
class FakeSocket extends EventEmitter {
  destroyed = false;
  readonly remoteAddress: string;
  readonly remotePort: number = ++lastPort;

  constructor(remoteAddress: string) {
    super();
    this.remoteAddress = remoteAddress;
  }

  destroy(): void {
    if (this.destroyed) return;
    this.destroyed = true;
    this.emit('close');
  }
}

function port(options: { readonly maxSockets?: number; readonly maxPerAddress?: number | null }) {
  const server = new EventEmitter();
  const sockets = watchSockets(server as Server, {
    maxSockets: 100,
    maxPerAddress: 3,
    tls: false,
    outbound: { watch: () => () => undefined },
    ...options,
  });
  return {
    server,
    sockets,
    open(address: string, kind: 'idle' | 'upgraded' | 'request' = 'idle') {
      const socket = new FakeSocket(address);
      server.emit('connection', socket);
      const [request, response] = [{ socket, complete: true }, new EventEmitter()];
      if (kind === 'upgraded') server.emit('upgrade', request);
      if (kind === 'request') server.emit('request', request, response);
      return { socket, request, response };
    },
  };
}

const destroyed = (opened: readonly { readonly socket: FakeSocket }[]): boolean[] =>
  opened.map(({ socket }) => socket.destroyed);

test('an address has a bounded number of connections, before any of them is upgraded [R7]', () => {
  const { open, sockets } = port({ maxPerAddress: 2 });
  const used = [open('10.0.0.1', 'upgraded'), open('10.0.0.1', 'request'), open('10.0.0.1')];
  expect(destroyed(used)).toEqual([false, false, true]);
  expect(open('10.0.0.2').socket.destroyed).toBe(false);
  expect(sockets.size).toBe(3);
});

test('the oldest connection of the address without a request gives way [R7]', () => {
  const { open } = port({ maxPerAddress: 3 });
  const other = open('10.0.0.2');
  const opened = [open('10.0.0.1', 'request'), open('10.0.0.1'), open('10.0.0.1'), open('10.0.0.1')];
  expect(destroyed(opened)).toEqual([false, true, false, false]);
  expect(other.socket.destroyed).toBe(false);
});

test('loopback is not limited by address, but in all, and a served connection is idle again [R7]', () => {
  const { open } = port({ maxSockets: 4, maxPerAddress: 1 });
  const opened = Array.from({ length: 4 }, () => open('127.0.0.1', 'request'));
  expect(open('::ffff:127.0.0.1').socket.destroyed).toBe(true);
  opened[2]?.response.emit('close');
  expect(open('::1').socket.destroyed).toBe(false);
  expect(destroyed(opened)).toEqual([false, false, true, false]);
});

test('draining destroys all without a complete request, and the others once they are answered [R24]', () => {
  const { open, sockets } = port({});
  const [idle, upgraded, served, arriving] = [
    open('10.0.0.1'),
    open('10.0.0.2', 'upgraded'),
    open('10.0.0.3', 'request'),
    open('10.0.0.4', 'request'),
  ];
  arriving.request.complete = false;
  sockets.drain();
  expect(destroyed([idle, upgraded, served, arriving])).toEqual([true, false, false, true]);
  served.response.emit('close');
  expect(open('10.0.0.5').socket.destroyed).toBe(true);
  expect(destroyed([upgraded, served])).toEqual([false, true]);
});
