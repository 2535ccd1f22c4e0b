import type { Transport, TransportHandlers } from '@esdb-gater/types';
import type { FrameWriter } from './frame-writer.ts';
import type { GatewaySocket } from './gateway-socket.ts';

/** Longest reason of a close frame: 125 bytes less the code (RFC 6455 section 5.5). */
const MAX_REASON_BYTES = 123;

/** The close code for a binary frame: this protocol has none. */
const UNSUPPORTED_DATA = 1003;

/** Transports text messages over a WebSocket, sent by the connection's frame writer. */
export class SocketTransport implements Transport {
  readonly #socket: GatewaySocket;
  readonly #writer: FrameWriter;
  #handlers: TransportHandlers | undefined;
  #waiting: string[] = [];
  #end: { readonly code: number; readonly reason: string } | undefined;

  constructor(socket: GatewaySocket, writer: FrameWriter) {
    this.#socket = socket;
    this.#writer = writer;
    socket.on('message', (data: Buffer, isBinary: boolean) => {
      if (isBinary) this.close(UNSUPPORTED_DATA, 'text frames only');
      // What a client sent after our close frame is not looked at any more.
      else if (socket.readyState === socket.OPEN) this.#take(data.toString('utf8'));
    });
    socket.on('close', (code: number, reason: Buffer) => this.#closed(code, reason.toString('utf8')));
  }

  send(text: string): void {
    this.#writer.text(text);
  }

  close(code: number, reason: string): void {
    this.#socket.close(code, cut(reason));
  }

  receive(handlers: TransportHandlers): void {
    this.#handlers = handlers;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const text of waiting) handlers.message(text);
    if (this.#end !== undefined) handlers.closed(this.#end.code, this.#end.reason);
  }

  #take(text: string): void {
    if (this.#handlers === undefined) this.#waiting.push(text);
    else this.#handlers.message(text);
  }

  #closed(code: number, reason: string): void {
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
