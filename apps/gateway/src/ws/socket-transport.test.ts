import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { createFakeClock } from '@esdb-gater/primitives/testing';
import { expect, test } from 'vitest';
import { createInboundBudget } from '../access/inbound-budget.ts';
import { FrameWriter } from './frame-writer.ts';
import type { GatewaySocket } from './gateway-socket.ts';
import { createIntakeTurns } from './intake.ts';
import { SocketTransport } from './socket-transport.ts';

class FakeWebSocket extends EventEmitter {
  readonly OPEN = 1;
  readyState = 1;
  paused = false;
  closedWith: number | undefined;

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
  }

  pong(): void {}

  close(code: number): void {
    this.closedWith = code;
    this.readyState = 2;
  }
}

function connection(budget = createInboundBudget(1_000)) {
  const [socket, netSocket, clock] = [new FakeWebSocket(), new EventEmitter(), createFakeClock()];
  const turns = createIntakeTurns(() => undefined);
  const writer = new FrameWriter(
    { writableLength: 0, destroyed: false, write: () => true },
    { join: () => undefined },
  );
  const texts: string[] = [];
  const transport = new SocketTransport({
    socket: socket as unknown as GatewaySocket,
    netSocket: netSocket as Socket,
    writer,
    turns,
    inbound: budget,
    clock,
    messageTimeoutMs: 60_000,
    isReady: () => true,
  });
  transport.receive({ message: (text) => texts.push(text), closed: () => undefined });
  return {
    socket,
    clock,
    texts,
    /** A chunk arrives, in which `ws` finds what `parse` emits. */
    receive(bytes: number, parse: () => void = () => undefined) {
      parse();
      netSocket.emit('data', Buffer.alloc(bytes));
    },
  };
}

test('pings and pongs are not part of a message, in however many chunks they come [R6]', () => {
  const budget = createInboundBudget(1_000);
  const { socket, clock, receive } = connection(budget);
  for (let n = 0; n < 100; n++) {
    receive(131, () => socket.emit('pong', Buffer.alloc(125)));
    receive(60);
    receive(71, () => socket.emit('ping', Buffer.alloc(125)));
    clock.advance(30_000);
  }
  expect([budget.bytes, socket.closedWith, socket.paused]).toEqual([0, undefined, false]);
});

test('a message that does not arrive completely within 60 s closes with 1008 [R7] [T31]', () => {
  const { socket, clock, receive } = connection();
  for (let n = 0; n < 59; n++) {
    receive(1);
    clock.advance(1_000);
  }
  expect(socket.closedWith).toBeUndefined();
  clock.advance(1_000);
  expect(socket.closedWith).toBe(1008);
});

test('incomplete messages count, and beyond the bound the connection is not read [R6]', () => {
  const budget = createInboundBudget(1_000);
  const [first, second] = [connection(budget), connection(budget)];
  first.receive(900);
  second.receive(200);
  expect([first.socket.paused, second.socket.paused, budget.bytes]).toEqual([false, true, 1_100]);
  // The oldest goes on, and is handled although the budget is full.
  first.receive(50, () => first.socket.emit('message', Buffer.from('1'), false));
  expect([first.texts, budget.bytes]).toEqual([['1'], 200]);
});
