import type { Clock, Timer } from '@esdb-gater/types';

export interface DiscardLimits {
  /** Bytes that may be thrown away at once. */
  readonly maxBytes: number;
  /** Bytes that may be thrown away each second. */
  readonly bytesPerSecond: number;
  /** Time after which a connection that is not read any more is closed. */
  readonly closeAfterMs: number;
}

/** A connection of a client that still sends what the gateway has refused. */
export interface RefusedSender {
  /** Stops reading. */
  pause(): void;
  destroy(): void;
}

export interface Discards {
  /** Counts bytes that arrived and were thrown away. */
  add(bytes: number): void;
  /** Ends the counting, because everything has arrived or the connection has ended. */
  close(): void;
}

/**
 * Bounds what the gateway reads from all clients together only to throw it away. Many clients write everything before
 * they read why it was refused, so a closed connection would cost them the answer; but each chunk is memory until the
 * garbage collector runs. Beyond the bound a connection is read no more, and closed after the time that a client needs to
 * read its answer.
 */
export interface DiscardBudget {
  open(sender: RefusedSender): Discards;
}

export function createDiscardBudget(clock: Clock, limits: DiscardLimits): DiscardBudget {
  const { maxBytes, bytesPerSecond, closeAfterMs } = limits;
  let left = maxBytes;
  let atMs = clock.monotonic();

  /** Returns whether more may be thrown away after these bytes. */
  function spend(bytes: number): boolean {
    const nowMs = clock.monotonic();
    left = Math.min(maxBytes, left + ((nowMs - atMs) * bytesPerSecond) / 1_000) - bytes;
    atMs = nowMs;
    return left > 0;
  }

  return {
    open(sender) {
      let timer: Timer | undefined;
      let closed = false;
      return {
        add(bytes) {
          if (spend(bytes) || closed) return;
          sender.pause();
          timer ??= clock.setTimer(() => sender.destroy(), closeAfterMs, { unref: true });
        },
        close() {
          closed = true;
          timer?.cancel();
        },
      };
    },
  };
}
