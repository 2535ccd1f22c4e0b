// Contestant: @event-driven-io/emmett-sqlite. Concurrent appends answer "busy", so they go through a mutex.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { benchFolder } from '../lib/machine.ts';
import { driveEmmett, type EmmettStore, loadEmmett } from './drive-emmett.ts';

const { getSQLiteEventStore } = loadEmmett<{
  getSQLiteEventStore(options: { readonly fileName: string }): EmmettStore;
}>('@event-driven-io/emmett-sqlite');

const [mode, writers, durationMs] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4])];
const folder = benchFolder('emmett-sqlite');
const store = getSQLiteEventStore({ fileName: join(folder, 'bench.db') });
await store.schema.migrate();

let last: Promise<unknown> = Promise.resolve();
function exclusively<T>(run: () => Promise<T>): Promise<T> {
  const result = last.then(run);
  last = result.catch(() => undefined);
  return result;
}

await driveEmmett(store, { mode, writers, durationMs }, exclusively);
rmSync(folder, { recursive: true });
process.exit(0);
