// Fills a store with events and reads those with one tag: prints the milliseconds of a query.
import { openPostgresStore } from '@esdb-gater/store-postgres';
import { askTagged, fillTagged } from '../queries/tagged-events.ts';

const QUERIES = 200;

const [url = '', size] = process.argv.slice(2);
const total = Number(size);
const store = await openPostgresStore({ storeId: 'bench', url });
await fillTagged(store, total);
await askTagged(store, total, QUERIES);
process.stdout.write(`${JSON.stringify({ ms: await askTagged(store, total, QUERIES) })}\n`);
await store.close();
