// Contestant: @esdb-gater/store-sqlite through its public interface, as it is opened by default.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { openSqliteStore } from '@esdb-gater/store-sqlite';
import { benchFolder } from '../lib/machine.ts';
import { driveStore } from './drive-store.ts';

const [mode, writers, durationMs] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4])];
const folder = benchFolder('esdb-gater');
const store = await openSqliteStore({ storeId: 'bench', file: join(folder, 'bench.db') });

await driveStore(store, { mode, writers, durationMs });
await store.close();
rmSync(folder, { recursive: true });
