import { type CallContext, GaterError, type StorePage, type StorePoint } from '@esdb-gater/types';
import { EventPoint } from './event-proof.ts';
import type { TailStore } from './tail-store.ts';

const BEGINNING: StorePoint = Object.freeze({ position: 0 });

/** Tells whether the history of a store is still the one in which a point was reached. */
export class StoreHistory {
  readonly #source: Pick<TailStore, 'storeId' | 'readAll'>;

  constructor(source: Pick<TailStore, 'storeId' | 'readAll'>) {
    this.#source = source;
  }

  /**
   * Returns the point with its proof when the store still has its event, and undefined when it does not. A point without
   * a proof counts as long as the store reaches so far, and gets the proof of the event that it finds there.
   */
  async prove(point: StorePoint, context: CallContext): Promise<StorePoint | undefined> {
    const { position, proof } = point;
    if (position === 0) return point;
    const { storeId } = this.#source;
    const page = await this.#source.readAll({ storeId, after: position - 1, limit: 1 }, context);
    const event = page.events[0];
    if (event?.position !== position) {
      return proof === undefined && (event !== undefined || page.lastPosition >= position)
        ? point
        : undefined;
    }
    const found = new EventPoint(event);
    return proof === undefined || proof === found.proof ? found : undefined;
  }

  /** Returns the first of the points that the store still proves, or the beginning. */
  async lastProven(points: readonly StorePoint[], context: CallContext): Promise<StorePoint> {
    for (const point of points) {
      const proven = await this.prove(point, context);
      if (proven !== undefined) return proven;
    }
    return BEGINNING;
  }
}

/**
 * Checks that the events of a page lie after a position, in order, and that there are some when more follow.
 *
 * @throws `internal`
 */
export function checkOrder({ events, next }: StorePage, after: number): void {
  if (events.length === 0 && next !== undefined) {
    throw new GaterError(
      'internal',
      'the store must return events when `next` says that more follow, got none',
    );
  }
  let last = after;
  for (const { position } of events) {
    if (!(position > last)) {
      throw new GaterError(
        'internal',
        `the store must return events after position ${last}, got ${position}`,
      );
    }
    last = position;
  }
}
