import { type LabelValues, OTHER } from './label-values.ts';

type Close = (value: string) => string;

/**
 * Maximum number of series of all stores that are not configured. The worker of such a store chooses its answers, and
 * so the number of its series.
 */
const MAX_ADDED_SERIES = 1_000;

/**
 * Caches a value for each store and up to two further labels, since finding a series costs far more than recording to
 * it. All three values are mapped to closed sets first.
 */
export class StoreSeries<Made> {
  readonly #labels: LabelValues;
  readonly #close: readonly [first?: Close, second?: Close];
  readonly #make: (storeId: string, first: string, second: string) => Made;
  readonly #made = new Map<string, Made>();
  #added = 0;

  constructor(
    labels: LabelValues,
    close: readonly [first?: Close, second?: Close],
    make: (storeId: string, first: string, second: string) => Made,
  ) {
    this.#labels = labels;
    this.#close = close;
    this.#make = make;
  }

  /** Returns the cached value for these names, as callers gave them. */
  of(storeId: string, first = '', second = ''): Made {
    return this.#made.get(keyOf(storeId, first, second)) ?? this.#closed(storeId, first, second);
  }

  #closed(storeId: string, first: string, second: string): Made {
    const [closeFirst = asIs, closeSecond = asIs] = this.#close;
    return this.#remembered(this.#labels.store(storeId), closeFirst(first), closeSecond(second));
  }

  #remembered(store: string, first: string, second: string): Made {
    const key = keyOf(store, first, second);
    const known = this.#made.get(key);
    if (known !== undefined) return known;
    if (store !== OTHER && !this.#labels.isConfigured(store)) {
      if (this.#added >= MAX_ADDED_SERIES) return this.#remembered(OTHER, first, second);
      this.#added++;
    }
    const made = this.#make(store, first, second);
    this.#made.set(key, made);
    return made;
  }
}

function asIs(value: string): string {
  return value;
}

/** No value of the closed sets contains a space. */
function keyOf(storeId: string, first: string, second: string): string {
  return `${storeId} ${first} ${second}`;
}
