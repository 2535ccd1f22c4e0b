// Contestant: @event-driven-io/emmett-postgresql, with its own pool of connections.
import { driveEmmett, type EmmettStore, loadEmmett } from '../stores/drive-emmett.ts';

const { getPostgreSQLEventStore } = loadEmmett<{
  getPostgreSQLEventStore(connectionString: string): EmmettStore;
}>('@event-driven-io/emmett-postgresql');

const [url = '', mode, writers, durationMs] = process.argv.slice(2);
const store = getPostgreSQLEventStore(url);
await store.schema.migrate();
await driveEmmett(store, { mode, writers: Number(writers), durationMs: Number(durationMs) });
process.exit(0);
