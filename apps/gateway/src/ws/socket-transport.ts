import type { Socket } from 'node:net';
import { CLOSE_CODES } from '@esdb-gater/protocol';
import type { Clock, Timer, Transport, TransportHandlers } from '@esdb-gater/types';
import type { InboundBudget, InboundShare } from '../access/inbound-budget.ts';
import type { FrameWriter } from './frame-writer.ts';
import type { GatewaySocket } from './gateway-socket.ts';
import { Intake, type IntakeTurns, type Received } from './intake.ts';

/** Longest reason of a close frame: 125 bytes less the code (RFC 6455 section 5.5). */
const MAX_REASON_BYTES = 123;

/** The close code for a binary frame: this protocol has none. */
const UNSUPPORTED_DATA = 1003;

/** Header and mask of a control frame of a client. */
const CONTROL_HEADER_BYTES = 6;

export interface SocketTransportComponents {
  readonly socket: GatewaySocket;
  readonly writer: FrameWriter;
  readonly turns: IntakeTurns;
  readonly netSocket: Socket;
  readonly inbound: InboundBudget;
  readonly clock: Clock;
  /** Time for a message to arrive completely. */
  readonly messageTimeoutMs: number;
  /** Returns whether the client has read enough of the output that more may be made. */
  readonly isReady: () => boolean;
}

/** Transports text messages over a WebSocket: sent by the connection's frame writer, received through its intake. */
export class SocketTransport implements Transport {
  readonly intake: Intake;
  /** The bytes of this connection that are not answered yet. */
  readonly share: InboundShare;
  readonly #components: SocketTransportComponents;
  readonly #socket: GatewaySocket;
  readonly #writer: FrameWriter;
  #handlers: TransportHandlers | undefined;
  /** Bytes of the message that has not arrived completely. */
  #partial = 0;
  #completed = false;
  /** Bytes of pings and pongs in the chunk that is being parsed: they are not kept. */
  #control = 0;
  #timer: Timer | undefined;
  #end: { readonly code: number; readonly reason: string } | undefined;

  constructor(components: SocketTransportComponents) {
    const { socket, writer, turns, isReady, netSocket, inbound } = components;
    this.#components = components;
    this.#socket = socket;
    this.share = inbound.open(() => this.intake.proceed());
    this.#writer = writer;
    this.intake = new Intake({
      turns,
      share: this.share,
      isReady: () => this.#handlers !== undefined && isReady() && this.share.mayGrow(),
      handle: (message) => this.#handle(message),
      pause: () => socket.pause(),
      resume: () => socket.resume(),
    });
    socket.on('message', (data: Buffer, isBinary: boolean) => {
      if (isBinary) this.close(UNSUPPORTED_DATA, 'text frames only');
      // What a client sends after our close frame is ignored.
      else if (socket.readyState === socket.OPEN) this.intake.push(data.toString('utf8'));
      // Only now, so that a message that must wait keeps the place of its share.
      this.#arrived();
    });
    // `ws` does not answer pings itself: pongs are output too.
    socket.on('pong', (payload: Buffer) => this.#countControl(payload));
    socket.on('ping', (payload: Buffer) => {
      this.#countControl(payload);
      if (socket.readyState === socket.OPEN) this.intake.push(payload);
    });
    // After the listener of `ws`, which passes on the messages that a chunk completes.
    netSocket.on('data', (chunk: Buffer) => this.#received(chunk.length));
    socket.on('close', (code: number, reason: Buffer) => this.#closed(code, reason.toString('utf8')));
  }

  send(text: string): void {
    this.#writer.text(text);
  }

  close(code: number, reason: string): void {
    this.intake.close();
    this.#socket.close(code, cut(reason));
  }

  receive(handlers: TransportHandlers): void {
    this.#handlers = handlers;
    this.intake.proceed();
    if (this.#end !== undefined) handlers.closed(this.#end.code, this.#end.reason);
  }

  #countControl(payload: Buffer): void {
    this.#control += CONTROL_HEADER_BYTES + payload.length;
  }

  /** A message is complete. */
  #arrived(): void {
    this.#completed = true;
    this.#setPartial(0);
  }

  #received(bytes: number): void {
    const completed = this.#completed;
    const control = this.#control;
    this.#completed = false;
    this.#control = 0;
    // What follows a complete message in a chunk is small.
    if (completed || this.#socket.readyState !== this.#socket.OPEN) return;
    this.#setPartial(Math.max(0, this.#partial + bytes - control));
    if (!this.share.mayGrow()) this.intake.proceed();
  }

  #setPartial(bytes: number): void {
    if (bytes > this.#partial) this.share.add(bytes - this.#partial);
    else this.share.release(this.#partial - bytes);
    this.#partial = bytes;
    if (bytes > 0) this.#timer ??= this.#expire();
    else {
      this.#timer?.cancel();
      this.#timer = undefined;
    }
  }

  #expire(): Timer {
    const { clock, messageTimeoutMs } = this.#components;
    return clock.setTimer(
      () => {
        // Time in which the gateway did not read is not the client's.
        if (this.intake.paused) this.#timer = this.#expire();
        else this.close(CLOSE_CODES.policyViolation, 'a message did not arrive in time');
      },
      messageTimeoutMs,
      { unref: true },
    );
  }

  #handle(message: Received): void {
    if (typeof message === 'string') this.#handlers?.message(message);
    else this.#socket.pong(message);
  }

  #closed(code: number, reason: string): void {
    this.#timer?.cancel();
    this.intake.close();
    this.share.close();
    this.#end = { code, reason };
    this.#handlers?.closed(code, reason);
  }
}

/** Cuts `reason` to at most 123 bytes of UTF-8, never in the middle of a character. */
function cut(reason: string): string {
  const bytes = Buffer.from(reason, 'utf8');
  if (bytes.length <= MAX_REASON_BYTES) return reason;
  let end = MAX_REASON_BYTES;
  while (((bytes[end] ?? 0) & 0xc0) === 0x80) end--;
  return bytes.toString('utf8', 0, end);
}
