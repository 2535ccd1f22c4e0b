// Fills a store with events and reads those with one tag: prints the milliseconds of a query in each batch.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { openSqliteStore } from '@esdb-gater/store-sqlite';
import { benchFolder } from '../lib/machine.ts';
import { askTagged, fillTagged } from './tagged-events.ts';

const QUERIES_PER_BATCH = 200;

const [total, batches] = [Number(process.argv[2]), Number(process.argv[3])];
const folder = benchFolder(`scale-${total}`);
const store = await openSqliteStore({
  storeId: 'bench',
  file: join(folder, 'bench.db'),
  flush: 'checkpoint',
});
await fillTagged(store, total);
await askTagged(store, total, QUERIES_PER_BATCH);
const figures: Record<string, number> = {};
for (let batch = 0; batch < batches; batch += 1) {
  figures[`ms${batch}`] = await askTagged(store, total, QUERIES_PER_BATCH);
}
process.stdout.write(`${JSON.stringify(figures)}\n`);
await store.close();
rmSync(folder, { recursive: true });
