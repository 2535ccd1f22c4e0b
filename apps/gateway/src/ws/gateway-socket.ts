import type { Socket } from 'node:net';
import { WebSocket } from 'ws';
import { FrameWriter } from './frame-writer.ts';
import type { TurnQueue } from './turn.ts';

/**
 * A WebSocket of `ws` whose data leaves by a `FrameWriter`.
 *
 * `ws` itself writes pings, pongs and the close frame, also on its own account: as answers, and when it refuses a
 * frame. Each of them goes through here, so that what was queued before is written before.
 */
export class GatewaySocket extends WebSocket {
  #writer: FrameWriter | undefined;

  /** To be called once, when the upgrade is complete. */
  attach(socket: Socket, turns: TurnQueue): FrameWriter {
    this.#writer = new FrameWriter(socket, turns);
    return this.#writer;
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
