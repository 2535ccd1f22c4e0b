import type { EventStore } from '@esdb-gater/types';
import { driveAppends, driveReads } from './drive.ts';
import { eventData, PAGE, STREAM_EVENTS } from './workload.ts';

export interface StoreTrial {
  readonly mode: string | undefined;
  readonly writers: number;
  readonly durationMs: number;
  /** The beginning of the names of the streams, where several trials share a store. @default '' */
  readonly prefix?: string;
}

/** Measures a store of this project, and prints the figures as JSON. */
export async function driveStore(
  store: EventStore,
  { mode, writers, durationMs, prefix = '' }: StoreTrial,
): Promise<void> {
  const figures =
    mode === 'append' ? await appends(store, writers, durationMs, prefix) : await reads(store, durationMs);
  process.stdout.write(`${JSON.stringify(figures)}\n`);
}

async function appends(
  store: EventStore,
  writers: number,
  durationMs: number,
  prefix: string,
): Promise<object> {
  const { storeId } = store;
  const { acknowledged, ...figures } = await driveAppends(writers, durationMs, async (writer, version) => {
    await store.appendEvents({
      storeId,
      streamId: `${prefix}stream-${writer}`,
      expectedVersion: version - 1,
      events: [{ id: crypto.randomUUID(), type: 'happened', data: eventData(writer, version) }],
    });
  });
  for (const [writer, count] of acknowledged.entries()) {
    const { version } = await store.getVersion({ storeId, streamId: `${prefix}stream-${writer}` });
    if (version !== count - 1) throw new Error(`stream ${writer} is at ${version}, acknowledged ${count}`);
  }
  return figures;
}

async function reads(store: EventStore, durationMs: number): Promise<object> {
  const { storeId } = store;
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
  };
  return { eventsPerSecond: await driveReads(durationMs, read, STREAM_EVENTS) };
}
