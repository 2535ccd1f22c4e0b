import type { EventStore } from '@esdb-gater/types';
import { eventData } from '../stores/workload.ts';

/** The events that the queries look for, whatever the size of the store. */
const WANTED = 100;
const PER_APPEND = 1_000;

/** Fills a store with `total` events, of which few have the tag that `askTagged` looks for. */
export async function fillTagged(store: EventStore, total: number): Promise<void> {
  const { storeId } = store;
  for (let first = 0; first < total; first += PER_APPEND) {
    const events = Array.from({ length: PER_APPEND }, (_, index) => {
      const number = first + index;
      const wanted = number % (total / WANTED) === 0 ? ['wanted'] : [];
      return {
        id: crypto.randomUUID(),
        type: `type-${number % 20}`,
        data: eventData(0, number),
        tags: [`customer:${number % 1_000}`, ...wanted],
      };
    });
    await store.appendEvents({ storeId, streamId: `stream-${(first / PER_APPEND) % 100}`, events });
  }
}

/** Asks for the tagged events so many times, and returns the milliseconds of a query. */
export async function askTagged(store: EventStore, total: number, times: number): Promise<number> {
  const { storeId } = store;
  const query = { items: [{ tags: ['wanted'] }] };
  const startedAt = performance.now();
  for (let index = 0; index < times; index += 1) {
    const { events, lastPosition } = await store.queryEvents({ storeId, query, limit: WANTED });
    if (events.length !== WANTED || lastPosition !== total) throw new Error(`read ${events.length} events`);
  }
  return (performance.now() - startedAt) / times;
}
