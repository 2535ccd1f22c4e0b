import type { Clock, Timer } from '@esdb-gater/types';

const PING_EVERY_MS = 25_000;
const SILENT_AFTER_MS = 60_000;
/** One sweep over all connections instead of two timers for each. */
const SWEEP_MS = 1_000;

/** What is watched of a connection. */
interface Watched {
  ping(): void;
  /** The other side has been silent for too long. */
  silent(): void;
  /** A number that changes whenever the other side has sent or taken something. */
  progress(): number;
}

interface Entry {
  readonly watched: Watched;
  progress: number;
  heardAt: number;
  pingAt: number;
}

/** Pings every connection every 25 s, and gives up those that were silent for 60 s. */
export interface Liveness {
  /** Returns what ends the watching. */
  watch(watched: Watched): () => void;
  close(): void;
}

export function createLiveness(clock: Clock): Liveness {
  const entries = new Set<Entry>();
  let timer: Timer | undefined;
  const sweep = (): void => {
    const now = clock.monotonic();
    for (const entry of entries) {
      const progress = entry.watched.progress();
      if (progress !== entry.progress) {
        entry.progress = progress;
        entry.heardAt = now;
      }
      if (now - entry.heardAt >= SILENT_AFTER_MS) {
        entries.delete(entry);
        entry.watched.silent();
      } else if (now >= entry.pingAt) {
        entry.pingAt = now + PING_EVERY_MS;
        entry.watched.ping();
      }
    }
    timer = entries.size === 0 ? undefined : clock.setTimer(sweep, SWEEP_MS, { unref: true });
  };
  return {
    watch(watched) {
      const now = clock.monotonic();
      const entry = { watched, progress: watched.progress(), heardAt: now, pingAt: now + PING_EVERY_MS };
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
