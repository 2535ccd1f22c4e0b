/** Samples of which the best one counts. */
const SAMPLES = 8;

interface Sample {
  readonly offsetMs: number;
  readonly roundTripMs: number;
}

/**
 * Estimates how far the clock of another node is ahead, as NTP does: the sample with the shortest way there and back is
 * the most exact one, and wrong by at most half of that time.
 */
export class ClockOffset {
  readonly #samples: Sample[] = [];

  /** The best estimate; undefined before the first sample. */
  get ms(): number | undefined {
    return this.#best()?.offsetMs;
  }

  /**
   * @param sentMs this node's wall clock when it asked
   * @param theirMs the other node's wall clock when it answered
   * @param roundTripMs by the monotonic clock
   */
  add(sentMs: number, theirMs: number, roundTripMs: number): void {
    this.#samples.push({ offsetMs: theirMs - (sentMs + roundTripMs / 2), roundTripMs });
    if (this.#samples.length > SAMPLES) this.#samples.shift();
  }

  /** True when the clock is off by more than `maxMs` for certain. */
  isWrong(maxMs: number): boolean {
    const best = this.#best();
    return best !== undefined && Math.abs(best.offsetMs) - best.roundTripMs / 2 > maxMs;
  }

  #best(): Sample | undefined {
    let best: Sample | undefined;
    // The latest of equal ones, since clocks are set.
    for (const sample of this.#samples) {
      if (best === undefined || sample.roundTripMs <= best.roundTripMs) best = sample;
    }
    return best;
  }
}
