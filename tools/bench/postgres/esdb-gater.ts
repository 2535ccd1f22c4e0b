// Contestant: @esdb-gater/store-postgres through its public interface, as it is opened by default.
import { openPostgresStore } from '@esdb-gater/store-postgres';
import { driveAppends, driveReads } from '../stores/drive.ts';
import { eventData, PAGE, STREAM_EVENTS } from '../stores/workload.ts';

const [url = '', mode, writers, durationMs, prefix = ''] = process.argv.slice(2);
const storeId = 'bench';
const store = await openPostgresStore({ storeId, url });

if (mode === 'append') {
  const { acknowledged, ...figures } = await driveAppends(
    Number(writers),
    Number(durationMs),
    async (writer, version) => {
      await store.appendEvents({
        storeId,
        streamId: `${prefix}stream-${writer}`,
        expectedVersion: version - 1,
        events: [{ id: crypto.randomUUID(), type: 'happened', data: eventData(writer, version) }],
      });
    },
  );
  for (const [writer, count] of acknowledged.entries()) {
    const { version } = await store.getVersion({ storeId, streamId: `${prefix}stream-${writer}` });
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
  const read = async (): Promise<number> => {
    let count = 0;
    // Two pages are in flight at any time, as for a reader of a long stream.
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
  };
  const eventsPerSecond = await driveReads(Number(durationMs), read, STREAM_EVENTS);
  process.stdout.write(`${JSON.stringify({ eventsPerSecond })}\n`);
}
await store.close();
