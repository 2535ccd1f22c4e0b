import { withLimit } from '@esdb-gater/primitives';
import { type Clock, GaterError, type Timer } from '@esdb-gater/types';

/** After how long without a message a connection is probed. The gateway pings as often. */
const SILENCE_MS = 25_000;

/** How long a probe may be unanswered before the connection counts as broken. */
const ANSWER_MS = 5_000;

export interface PathProbeComponents {
  readonly clock: Clock;
  /** Returns when the last message arrived, by the monotonic clock. */
  readonly heardAt: () => number;
  /** Makes a cheap call. Any answer, an error too, proves that the connection works. */
  readonly ask: (signal: AbortSignal) => Promise<unknown>;
  /** Called once, when a probe was not answered. */
  readonly onDead: () => void;
}

/**
 * Notices that a connection has died silently, on platforms that do not report pings (browsers): it probes a
 * connection that has been silent for 25 seconds.
 */
export class PathProbe {
  readonly #components: PathProbeComponents;
  #timer: Timer | undefined;
  #isAsking = false;
  #stopped = false;

  constructor(components: PathProbeComponents) {
    this.#components = components;
    this.#schedule();
  }

  /** Probes the connection now. */
  async check(): Promise<void> {
    if (this.#isAsking || this.#stopped) return;
    const { clock, heardAt, ask, onDead } = this.#components;
    this.#timer?.cancel();
    this.#isAsking = true;
    const before = heardAt();
    try {
      await withLimit(ask, { limitMs: ANSWER_MS, clock });
    } catch (error) {
      // An answer is an answer; and other messages may have arrived before a slow one.
      const isUnanswered = GaterError.is(error) && error.code === 'timeout' && heardAt() === before;
      if (isUnanswered && !this.#stopped) {
        this.stop();
        onDead();
        return;
      }
    }
    this.#isAsking = false;
    this.#schedule();
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  #schedule(): void {
    if (this.#stopped) return;
    const { clock, heardAt } = this.#components;
    const leftMs = heardAt() + SILENCE_MS - clock.monotonic();
    const wake = (): void => {
      if (heardAt() + SILENCE_MS <= clock.monotonic()) void this.check();
      else this.#schedule();
    };
    this.#timer = clock.setTimer(wake, Math.max(leftMs, 1), { unref: true });
  }
}
