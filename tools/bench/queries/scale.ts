// Fills a store with events and reads those with one tag: prints the milliseconds of a query in each batch.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { openSqliteStore } from '@esdb-gater/store-sqlite';
import { benchFolder } from '../lib/machine.ts';
import { eventData } from '../stores/workload.ts';

/** The events that the queries look for, whatever the size of the store. */
const WANTED = 100;
const PER_APPEND = 1_000;
const QUERIES_PER_BATCH = 200;

const [total, batches] = [Number(process.argv[2]), Number(process.argv[3])];
const folder = benchFolder(`scale-${total}`);
const storeId = 'bench';
const store = await openSqliteStore({ storeId, file: join(folder, 'bench.db'), flush: 'checkpoint' });

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
for (let index = 0; index < QUERIES_PER_BATCH; index += 1) await ask();
const figures: Record<string, number> = {};
for (let batch = 0; batch < batches; batch += 1) {
  const startedAt = performance.now();
  for (let index = 0; index < QUERIES_PER_BATCH; index += 1) await ask();
  figures[`ms${batch}`] = (performance.now() - startedAt) / QUERIES_PER_BATCH;
}
process.stdout.write(`${JSON.stringify(figures)}\n`);
await store.close();
rmSync(folder, { recursive: true });
