import type { Transport, TransportHandlers } from '@esdb-gater/types';
import type { FrameWriter } from './frame-writer.ts';
import type { GatewaySocket } from './gateway-socket.ts';
import { Intake, type IntakeTurns, type Received } from './intake.ts';

/** Longest reason of a close frame: 125 bytes less the code (RFC 6455 section 5.5). */
const MAX_REASON_BYTES = 123;

/** The close code for a binary frame: this protocol has none. */
const UNSUPPORTED_DATA = 1003;

export interface SocketTransportComponents {
  readonly socket: GatewaySocket;
  readonly writer: FrameWriter;
  readonly turns: IntakeTurns;
  /** Returns whether the client has read enough of the output that more may be made. */
  readonly isReady: () => boolean;
}

/** Transports text messages over a WebSocket: sent by the connection's frame writer, received through its intake. */
export class SocketTransport implements Transport {
  readonly intake: Intake;
  readonly #socket: GatewaySocket;
  readonly #writer: FrameWriter;
  #handlers: TransportHandlers | undefined;
  #end: { readonly code: number; readonly reason: string } | undefined;

  constructor({ socket, writer, turns, isReady }: SocketTransportComponents) {
    this.#socket = socket;
    this.#writer = writer;
    this.intake = new Intake({
      turns,
      isReady: () => this.#handlers !== undefined && isReady(),
      handle: (message) => this.#handle(message),
      pause: () => socket.pause(),
      resume: () => socket.resume(),
    });
    socket.on('message', (data: Buffer, isBinary: boolean) => {
      if (isBinary) this.close(UNSUPPORTED_DATA, 'text frames only');
      // What a client sends after our close frame is ignored.
      else if (socket.readyState === socket.OPEN) this.intake.push(data.toString('utf8'));
    });
    // `ws` does not answer pings itself: pongs are output too.
    socket.on('ping', (payload: Buffer) => {
      if (socket.readyState === socket.OPEN) this.intake.push(payload);
    });
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

  #handle(message: Received): void {
    if (typeof message === 'string') this.#handlers?.message(message);
    else this.#socket.pong(message);
  }

  #closed(code: number, reason: string): void {
    this.intake.close();
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
