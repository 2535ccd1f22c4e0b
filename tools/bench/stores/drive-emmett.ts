import { createRequire } from 'node:module';
import { join } from 'node:path';
import { driveAppends, driveReads } from './drive.ts';
import type { StoreTrial } from './drive-store.ts';
import { eventData, PAGE, STREAM_EVENTS } from './workload.ts';

interface EmmettEvent {
  readonly type: string;
  readonly data: { readonly version: number };
}

/** The part of an event store of emmett that is measured. */
export interface EmmettStore {
  readonly schema: { migrate(): Promise<unknown> };
  appendToStream(
    stream: string,
    events: readonly EmmettEvent[],
    options: { readonly expectedStreamVersion: bigint | string },
  ): Promise<unknown>;
  readStream(
    stream: string,
  ): Promise<{ readonly events: readonly EmmettEvent[]; readonly currentStreamVersion: bigint }>;
}

/** Loads a package of emmett from the peers. */
export function loadEmmett<Exports>(name: string): Exports {
  return createRequire(join(import.meta.dirname, '..', 'peers', 'package.json'))(name) as Exports;
}

/**
 * Measures a store of emmett, and prints the figures as JSON.
 *
 * @param run runs each append of the concurrent writers; pass a mutex where the store needs one
 */
export async function driveEmmett(
  store: EmmettStore,
  { mode, writers, durationMs }: Omit<StoreTrial, 'prefix'>,
  run: <T>(append: () => Promise<T>) => Promise<T> = (append) => append(),
): Promise<void> {
  const append = (stream: string, version: number, events: readonly EmmettEvent[]): Promise<unknown> =>
    store.appendToStream(stream, events, {
      expectedStreamVersion: version === 0 ? 'STREAM_DOES_NOT_EXIST' : BigInt(version),
    });
  if (mode === 'append') {
    const { acknowledged, ...figures } = await driveAppends(writers, durationMs, async (writer, version) => {
      const events = [{ type: 'happened', data: eventData(writer, version) }];
      await run(() => append(`stream-${writer}`, version, events));
    });
    for (const [writer, count] of acknowledged.entries()) {
      const { currentStreamVersion } = await store.readStream(`stream-${writer}`);
      if (Number(currentStreamVersion) !== count) {
        throw new Error(`stream ${writer} has ${currentStreamVersion}, not ${count}`);
      }
    }
    process.stdout.write(`${JSON.stringify(figures)}\n`);
    return;
  }
  for (let version = 0; version < STREAM_EVENTS; version += PAGE) {
    const events = Array.from({ length: PAGE }, (_, index) => ({
      type: 'happened',
      data: eventData(0, version + index),
    }));
    await append('read', version, events);
  }
  const read = async (): Promise<number> => {
    const { events } = await store.readStream('read');
    for (const [index, event] of events.entries()) {
      if (event.data.version !== index) throw new Error(`event ${index} is out of order`);
    }
    return events.length;
  };
  const eventsPerSecond = await driveReads(durationMs, read, STREAM_EVENTS);
  process.stdout.write(`${JSON.stringify({ eventsPerSecond })}\n`);
}
