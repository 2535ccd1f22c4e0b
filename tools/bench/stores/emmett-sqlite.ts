// Contestant: @event-driven-io/emmett-sqlite. Concurrent appends answer "busy", so they go through a mutex.
import { rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { benchFolder } from '../lib/machine.ts';
import { driveAppends, driveReads } from './drive.ts';
import { eventData, PAGE, STREAM_EVENTS } from './workload.ts';

interface EmmettEvent {
  readonly type: string;
  readonly data: { readonly version: number };
}

interface EmmettStore {
  readonly schema: { migrate(): Promise<void> };
  appendToStream(
    stream: string,
    events: readonly EmmettEvent[],
    options: { readonly expectedStreamVersion: bigint | string },
  ): Promise<unknown>;
  readStream(
    stream: string,
  ): Promise<{ readonly events: readonly EmmettEvent[]; readonly currentStreamVersion: bigint }>;
}

const require = createRequire(join(import.meta.dirname, '..', 'peers', 'package.json'));
const { getSQLiteEventStore } = require('@event-driven-io/emmett-sqlite') as {
  getSQLiteEventStore(options: { readonly fileName: string }): EmmettStore;
};

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

if (mode === 'append') {
  const { acknowledged, ...figures } = await driveAppends(writers, durationMs, async (writer, version) => {
    await exclusively(() =>
      store.appendToStream(`stream-${writer}`, [{ type: 'happened', data: eventData(writer, version) }], {
        expectedStreamVersion: version === 0 ? 'STREAM_DOES_NOT_EXIST' : BigInt(version),
      }),
    );
  });
  for (const [writer, count] of acknowledged.entries()) {
    const { currentStreamVersion } = await store.readStream(`stream-${writer}`);
    if (Number(currentStreamVersion) !== count)
      throw new Error(`stream ${writer} has ${currentStreamVersion}, not ${count}`);
  }
  process.stdout.write(`${JSON.stringify(figures)}\n`);
} else {
  for (let version = 0; version < STREAM_EVENTS; version += PAGE) {
    const events = Array.from({ length: PAGE }, (_, index) => ({
      type: 'happened',
      data: eventData(0, version + index),
    }));
    await store.appendToStream('read', events, {
      expectedStreamVersion: version === 0 ? 'STREAM_DOES_NOT_EXIST' : BigInt(version),
    });
  }
  const eventsPerSecond = await driveReads(
    durationMs,
    async () => {
      const { events } = await store.readStream('read');
      for (const [index, event] of events.entries()) {
        if (event.data.version !== index) throw new Error(`event ${index} is out of order`);
      }
      return events.length;
    },
    STREAM_EVENTS,
  );
  process.stdout.write(`${JSON.stringify({ eventsPerSecond })}\n`);
}
rmSync(folder, { recursive: true });
process.exit(0);
