// Fills a store with events and reads those with one tag: prints the milliseconds of a query.
import { openPostgresStore } from '@esdb-gater/store-postgres';
import { eventData } from '../stores/workload.ts';

/** The events that the queries look for, whatever the size of the store. */
const WANTED = 100;
const PER_APPEND = 1_000;
const QUERIES = 200;

const [url = '', size] = process.argv.slice(2);
const total = Number(size);
const storeId = 'bench';
const store = await openPostgresStore({ storeId, url });
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
const query = { items: [{ tags: ['wanted'] }] };
const ask = async (): Promise<void> => {
  const { events, lastPosition } = await store.queryEvents({ storeId, query, limit: WANTED });
  if (events.length !== WANTED || lastPosition !== total) throw new Error(`read ${events.length} events`);
};
for (let index = 0; index < QUERIES; index += 1) await ask();
const startedAt = performance.now();
for (let index = 0; index < QUERIES; index += 1) await ask();
process.stdout.write(`${JSON.stringify({ ms: (performance.now() - startedAt) / QUERIES })}\n`);
await store.close();
