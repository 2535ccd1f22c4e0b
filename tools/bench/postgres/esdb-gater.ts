// Contestant: @esdb-gater/store-postgres through its public interface, as it is opened by default.
import { openPostgresStore } from '@esdb-gater/store-postgres';
import { driveStore } from '../stores/drive-store.ts';

const [url = '', mode, writers, durationMs, prefix = ''] = process.argv.slice(2);
const store = await openPostgresStore({ storeId: 'bench', url });
await driveStore(store, { mode, writers: Number(writers), durationMs: Number(durationMs), prefix });
await store.close();
