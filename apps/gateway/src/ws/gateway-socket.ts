import type { Socket } from 'node:net';
import { WebSocket } from 'ws';
import { FrameWriter } from './frame-writer.ts';
import type { Watched } from './liveness.ts';
import type { TurnQueue } from './turn.ts';

/**
 * A WebSocket of `ws` that sends its data with a `FrameWriter`.
 *
 * `ws` itself writes pings, pongs and the close frame, also by itself: as answers, and when it refuses a frame. This class
 * overrides these methods, so that queued frames are written first.
 */
export class GatewaySocket extends WebSocket implements Watched {
  #writer: FrameWriter | undefined;
  #socket: Socket | undefined;

  /** Creates the writer. Must be called once, when the upgrade is complete. */
  attach(socket: Socket, turns: TurnQueue): FrameWriter {
    this.#socket = socket;
    this.#writer = new FrameWriter(socket, turns);
    return this.#writer;
  }

  /**
   * Sets the maximum size of a message from now on. `ws` has no public way to change it, so this sets what its receiver
   * looks at.
   *
   * @throws when `ws` has no such member any more
   */
  limitMessages(bytes: number): void {
    const { _receiver: receiver } = this as unknown as { readonly _receiver?: { _maxPayload?: number } };
    if (typeof receiver?._maxPayload !== 'number')
      throw new Error('ws has no receiver with a maximum payload');
    receiver._maxPayload = bytes;
  }

  // The members of `Watched` are methods of the connection, as closures for each would be half a kilobyte.

  silent(): void {
    this.terminate();
  }

  received(): number {
    return this.#socket?.bytesRead ?? 0;
  }

  unsent(): number {
    return this.#socket?.writableLength ?? 0;
  }

  sent(): number {
    return (this.#socket?.bytesWritten ?? 0) - this.unsent();
  }

  override ping(...args: Parameters<WebSocket['ping']>): void {
    this.#writer?.flush();
    super.ping(...args);
  }

  override pong(...args: Parameters<WebSocket['pong']>): void {
    this.#writer?.flush();
    super.pong(...args);
  }

  override close(code?: number, reason?: string | Buffer): void {
    this.#writer?.close();
    super.close(code, reason);
  }
}
