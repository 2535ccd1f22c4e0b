import type { Clock, Timer } from '@esdb-gater/types';

/** One sweep over all connections instead of two timers for each. */
const SWEEP_MS = 1_000;

/** A connection that is watched. */
export interface Watched {
  ping(): void;
  /** The other side has been silent for too long. */
  silent(): void;
  /** Returns the bytes received so far. */
  received(): number;
  /** Returns the bytes that wait to be sent. */
  unsent(): number;
  /** Returns the bytes that the system has taken so far. */
  sent(): number;
}

interface Entry {
  readonly watched: Watched;
  received: number;
  unsent: number;
  sent: number;
  heardAt: number;
  pingAt: number;
}

export interface LivenessOptions {
  readonly pingEveryMs: number;
  readonly silentAfterMs: number;
}

/** Pings every connection, and gives up those that were silent for too long. */
export interface Liveness {
  /** Returns a function that ends the watching. */
  watch(watched: Watched): () => void;
  close(): void;
}

export function createLiveness(clock: Clock, { pingEveryMs, silentAfterMs }: LivenessOptions): Liveness {
  const entries = new Set<Entry>();
  let timer: Timer | undefined;

  /**
   * Returns whether the other side gave a sign of life since the last sweep. Bytes that the system took are one only when
   * output was waiting: then the other side has read. Otherwise the system takes pings also of a client that is dead.
   */
  function hasMoved(entry: Entry): boolean {
    const { watched } = entry;
    const [received, sent, hadUnsent] = [watched.received(), watched.sent(), entry.unsent > 0];
    const moved = received !== entry.received || (hadUnsent && sent !== entry.sent);
    entry.received = received;
    entry.sent = sent;
    entry.unsent = watched.unsent();
    return moved;
  }

  const sweep = (): void => {
    const now = clock.monotonic();
    for (const entry of entries) {
      if (hasMoved(entry)) entry.heardAt = now;
      if (now - entry.heardAt >= silentAfterMs) {
        entries.delete(entry);
        entry.watched.silent();
      } else if (now >= entry.pingAt) {
        entry.pingAt = now + pingEveryMs;
        entry.watched.ping();
      }
    }
    timer = entries.size === 0 ? undefined : clock.setTimer(sweep, SWEEP_MS, { unref: true });
  };
  return {
    watch(watched) {
      const now = clock.monotonic();
      const entry: Entry = {
        watched,
        received: watched.received(),
        sent: watched.sent(),
        unsent: watched.unsent(),
        heardAt: now,
        pingAt: now + pingEveryMs,
      };
      entries.add(entry);
      timer ??= clock.setTimer(sweep, SWEEP_MS, { unref: true });
      return () => void entries.delete(entry);
    },
    close() {
      entries.clear();
      timer?.cancel();
    },
  };
}
