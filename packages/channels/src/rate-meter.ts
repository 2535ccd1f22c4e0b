/** Counts the events of the last second. */
export interface RateMeter {
  /** @param nowMs monotonic */
  add(count: number, nowMs: number): void;
  perSecond(nowMs: number): number;
}

const SLOT_MS = 100;
const SLOTS = 10;

/** Creates a meter with ten slots of 100 ms, so that adding costs the same at any rate. */
export function createRateMeter(): RateMeter {
  return new SlotMeter();
}

class SlotMeter implements RateMeter {
  readonly #counts = new Float64Array(SLOTS);
  #slot = 0;

  add(count: number, nowMs: number): void {
    this.#moveTo(Math.floor(nowMs / SLOT_MS));
    const index = this.#slot % SLOTS;
    this.#counts[index] = (this.#counts[index] as number) + count;
  }

  perSecond(nowMs: number): number {
    this.#moveTo(Math.floor(nowMs / SLOT_MS));
    return this.#counts.reduce((sum, count) => sum + count, 0);
  }

  #moveTo(slot: number): void {
    if (slot === this.#slot) return;
    if (slot - this.#slot >= SLOTS) this.#counts.fill(0);
    else for (let at = this.#slot + 1; at <= slot; at++) this.#counts[at % SLOTS] = 0;
    this.#slot = slot;
  }
}
