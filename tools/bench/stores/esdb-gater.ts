// Contestant: @esdb-gater/store-sqlite through its public interface, as it is opened by default.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { openSqliteStore } from '@esdb-gater/store-sqlite';
import { benchFolder } from '../lib/machine.ts';
import { driveAppends, driveReads } from './drive.ts';
import { eventData, PAGE, STREAM_EVENTS } from './workload.ts';

const [mode, writers, durationMs] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4])];
const folder = benchFolder('esdb-gater');
const storeId = 'bench';
const store = await openSqliteStore({ storeId, file: join(folder, 'bench.db') });

if (mode === 'append') {
  const { acknowledged, ...figures } = await driveAppends(writers, durationMs, async (writer, version) => {
    await store.appendEvents({
      storeId,
      streamId: `stream-${writer}`,
      expectedVersion: version - 1,
      events: [{ id: crypto.randomUUID(), type: 'happened', data: eventData(writer, version) }],
    });
  });
  for (const [writer, count] of acknowledged.entries()) {
    const { version } = await store.getVersion({ storeId, streamId: `stream-${writer}` });
    if (version !== count - 1) throw new Error(`stream ${writer} is at ${version}, acknowledged ${count}`);
  }
  process.stdout.write(`${JSON.stringify(figures)}\n`);
} else {
  const streamId = 'read';
  for (let version = 0; version < STREAM_EVENTS; version += PAGE) {
    const events = Array.from({ length: PAGE }, (_, index) => ({
      id: crypto.randomUUID(),
      type: 'happened',
      data: eventData(0, version + index),
    }));
    await store.appendEvents({ storeId, streamId, events });
  }
  const eventsPerSecond = await driveReads(
    durationMs,
    async () => {
      let count = 0;
      // Two pages are in flight at any time, as for a reader of a long stream: one is created while the other is read.
      const pageAt = (startVersion: number) =>
        store.getEvents({ storeId, streamId, startVersion, count: PAGE });
      let following = pageAt(0);
      for (let start = 0; start < STREAM_EVENTS; start += PAGE) {
        const page = following;
        if (start + PAGE < STREAM_EVENTS) following = pageAt(start + PAGE);
        for (const event of (await page).events) {
          const data = event.data as { readonly version: number };
          if (data.version !== count || event.version !== count)
            throw new Error(`event ${count} is out of order`);
          count += 1;
        }
      }
      return count;
    },
    STREAM_EVENTS,
  );
  process.stdout.write(`${JSON.stringify({ eventsPerSecond })}\n`);
}
await store.close();
rmSync(folder, { recursive: true });
