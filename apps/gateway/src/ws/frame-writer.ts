import { frameLength, textFrame, writeTextFrame } from './frames.ts';
import type { TurnEnd, TurnQueue } from './turn.ts';

/** The part of `net.Socket` that frames are written to. */
export interface FrameSocket {
  readonly writableLength: number;
  readonly destroyed: boolean;
  write(bytes: Uint8Array): boolean;
}

/** Queued texts are written early once they have this many UTF-16 units. */
const GATHER_UNITS = 65_536;

/** Longest text whose frame is copied together with others instead of being encoded into a buffer of its own. */
const GATHERED_UNITS = 16_384;

/**
 * Writes whole WebSocket frames to a connection's socket, in order: the only way data frames leave the gateway.
 *
 * Encodes the texts of one turn of the event loop into one buffer and sends them with one `write`. Frames that many
 * connections share are built once and written unchanged. Other code that writes to the socket (pings, pongs, the
 * close frame) must call `flush` first. `ws` itself never sends data on these connections, and compression is off, so
 * this writer cannot interrupt a fragmented or compressed message.
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

  /** Queues one text message. It is sent at the end of this turn, or before the next frame. */
  text(text: string): void {
    if (this.#closed) return;
    if (this.#texts.push(text) === 1) this.#turns.join(this);
    this.#textUnits += text.length;
    if (this.#textUnits >= GATHER_UNITS) this.flush();
  }

  /** Writes complete frames, after the queued texts. `frames` is not copied and must never change. */
  frames(frames: Uint8Array): void {
    this.flush();
    this.#write(frames);
  }

  /** Writes the queued texts now. */
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
   * Returns the bytes that the socket has not passed on to the system yet. Texts that are queued for the end of the turn
   * are not counted: callers wait for the socket's `drain`, which is certain only for what the socket itself holds.
   */
  bufferedBytes(): number {
    return this.#socket.writableLength;
  }

  /** Writes the queued texts and ignores later ones. */
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
  for (let index = 0; index < texts.length; index++) {
    const length = Buffer.byteLength(texts[index] as string, 'utf8');
    lengths[index] = length;
    total += frameLength(length);
  }
  const bytes = Buffer.allocUnsafe(total);
  let at = 0;
  for (let index = 0; index < texts.length; index++) {
    at = writeTextFrame(bytes, at, texts[index] as string, lengths[index] as number);
  }
  return bytes;
}
