import type { Socket } from 'node:net';
import type { Transport, TransportHandlers } from '@esdb-gater/types';

export interface LineTransportOptions {
  /** The longest line that is accepted, in bytes; a longer one destroys the socket. */
  readonly maxLineBytes: number;
  /** While more bytes than this are unsent, nothing is read. @default no limit */
  readonly pauseAboveBytes?: number;
}

/** A transport over a local socket. */
export interface LineTransport extends Transport {
  /** Returns the bytes that the other side has not read yet. */
  unsentBytes(): number;
  /** Ends the connection by force. */
  destroy(): void;
}

const NEWLINE = 0x0a;

/** Sends each message as one line. A message is JSON, which has no line breaks of its own. */
export function createLineTransport(socket: Socket, options: LineTransportOptions): LineTransport {
  return new SocketLines(socket, options);
}

class SocketLines implements LineTransport {
  readonly #socket: Socket;
  readonly #options: LineTransportOptions;
  /** The beginning of a line whose end has not arrived. */
  #partial: Buffer[] = [];
  #partialBytes = 0;
  #isCorked = false;
  #end = { code: 1006, reason: '' };

  constructor(socket: Socket, options: LineTransportOptions) {
    this.#socket = socket;
    this.#options = options;
    // The end of the connection is reported by `close`.
    socket.on('error', () => undefined);
  }

  send(text: string): void {
    const socket = this.#socket;
    if (!socket.writable) return;
    // What is sent in one go is one write.
    if (!this.#isCorked) {
      this.#isCorked = true;
      socket.cork();
      process.nextTick(() => {
        this.#isCorked = false;
        socket.uncork();
      });
    }
    socket.write(text);
    socket.write('\n');
    const { pauseAboveBytes = Number.POSITIVE_INFINITY } = this.#options;
    if (socket.writableLength <= pauseAboveBytes || socket.isPaused()) return;
    socket.pause();
    socket.once('drain', () => socket.resume());
  }

  close(code: number, reason: string): void {
    if (!this.#socket.writable) return;
    this.#end = { code, reason };
    this.#socket.end();
  }

  receive(handlers: TransportHandlers): void {
    const socket = this.#socket;
    socket.on('data', (chunk: Buffer) => this.#take(chunk, handlers));
    // The other side has said everything; nobody waits for what this side still would.
    socket.once('end', () => socket.destroy());
    socket.once('close', () => handlers.closed(this.#end.code, this.#end.reason));
  }

  unsentBytes(): number {
    return this.#socket.writableLength;
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #take(chunk: Buffer, handlers: TransportHandlers): void {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      const rest = chunk.subarray(start, end);
      start = end + 1;
      const line = this.#partialBytes === 0 ? rest : Buffer.concat([...this.#partial, rest]);
      this.#partial = [];
      this.#partialBytes = 0;
      handlers.message(line.toString('utf8'));
    }
    if (start === chunk.length) return;
    this.#partial.push(chunk.subarray(start));
    this.#partialBytes += chunk.length - start;
    if (this.#partialBytes > this.#options.maxLineBytes) this.#socket.destroy();
  }
}
