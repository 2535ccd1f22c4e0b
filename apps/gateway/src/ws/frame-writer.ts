import { textFrame } from './frames.ts';
import type { TurnEnd, TurnQueue } from './turn.ts';

/** The part of `net.Socket` that frames are written to. */
export interface FrameSocket {
  readonly writableLength: number;
  readonly destroyed: boolean;
  write(bytes: Uint8Array): boolean;
}

/** Texts that wait are written early when they come to this many UTF-16 units. */
const GATHER_UNITS = 65_536;

/** Longest text whose frame is copied together with others instead of being encoded into a buffer of its own. */
const GATHERED_UNITS = 16_384;

/**
 * Writes whole WebSocket frames to a connection's socket, in order: the only way data frames leave the gateway.
 *
 * Texts of one turn of the event loop are encoded into one buffer and leave by one `write`. Frames that were built
 * before, and are shared by many connections, are written as they are. Whoever writes to the socket otherwise (pings,
 * pongs, the close frame) must `flush` first. `ws` itself never sends data on these connections, and compression is
 * off, so no fragmented or compressed message of its own can be cut into.
 */
export class FrameWriter implements TurnEnd {
  readonly #socket: FrameSocket;
  readonly #turns: TurnQueue;
  #texts: string[] = [];
  #textUnits = 0;
  #closed = false;

  constructor(socket: FrameSocket, turns: TurnQueue) {
    this.#socket = socket;
    this.#turns = turns;
  }

  /** Queues one text message; it leaves at the end of this turn, or with the next frame that is written. */
  text(text: string): void {
    if (this.#closed) return;
    if (this.#texts.push(text) === 1) this.#turns.join(this);
    this.#textUnits += text.length;
    if (this.#textUnits >= GATHER_UNITS) this.flush();
  }

  /** Writes frames that are complete, after what waits. `frames` is not copied and must never change. */
  frames(frames: Uint8Array): void {
    this.flush();
    this.#write(frames);
  }

  /** Writes what waits, now. */
  flush(): void {
    const texts = this.#texts;
    if (texts.length === 0) return;
    this.#texts = [];
    this.#textUnits = 0;
    const [only] = texts;
    if (texts.length === 1 && only !== undefined) this.#write(textFrame(only));
    else this.#writeAll(texts);
  }

  endTurn(): void {
    this.flush();
  }

  /**
   * Bytes that the socket has not passed on yet. What waits for the end of the turn is not counted: above its high
   * water mark the socket is sure to say `drain`, and who waits for that must not wait for anything else.
   */
  bufferedBytes(): number {
    return this.#socket.writableLength;
  }

  /** Writes what waits and ignores what comes later. */
  close(): void {
    this.flush();
    this.#closed = true;
  }

  #writeAll(texts: readonly string[]): void {
    let gathered: string[] = [];
    for (const text of texts) {
      if (text.length <= GATHERED_UNITS) {
        gathered.push(text);
        continue;
      }
      this.#write(gather(gathered));
      gathered = [];
      this.#write(textFrame(text));
    }
    this.#write(gather(gathered));
  }

  #write(bytes: Uint8Array): void {
    if (this.#closed || bytes.length === 0 || this.#socket.destroyed) return;
    this.#socket.write(bytes);
  }
}

/** The frames of short texts in one buffer. */
function gather(texts: readonly string[]): Uint8Array {
  let total = 0;
  const lengths = new Array<number>(texts.length);
  for (const [index, text] of texts.entries()) {
    const length = Buffer.byteLength(text, 'utf8');
    lengths[index] = length;
    total += length + (length < 126 ? 2 : 4);
  }
  const bytes = Buffer.allocUnsafe(total);
  let at = 0;
  for (const [index, text] of texts.entries()) {
    const length = lengths[index] ?? 0;
    // FIN and opcode 1 (text); 16 384 units are at most 49 152 bytes, so the longest length form never occurs.
    bytes[at++] = 0x81;
    if (length < 126) bytes[at++] = length;
    else {
      bytes[at++] = 126;
      at = bytes.writeUInt16BE(length, at);
    }
    at += bytes.write(text, at, 'utf8');
  }
  return bytes;
}
