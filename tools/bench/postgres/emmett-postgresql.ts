// Contestant: @event-driven-io/emmett-postgresql, with its own pool of connections.
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { driveAppends, driveReads } from '../stores/drive.ts';
import { eventData, PAGE, STREAM_EVENTS } from '../stores/workload.ts';

interface EmmettEvent {
  readonly type: string;
  readonly data: { readonly version: number };
}

interface EmmettStore {
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

const require = createRequire(join(import.meta.dirname, '..', 'peers', 'package.json'));
const { getPostgreSQLEventStore } = require('@event-driven-io/emmett-postgresql') as {
  getPostgreSQLEventStore(connectionString: string): EmmettStore;
};

const [url = '', mode, writers, durationMs] = process.argv.slice(2);
const store = getPostgreSQLEventStore(url);
await store.schema.migrate();

const NEW = 'STREAM_DOES_NOT_EXIST';
const append = (stream: string, version: number, events: readonly EmmettEvent[]): Promise<unknown> =>
  store.appendToStream(stream, events, { expectedStreamVersion: version === 0 ? NEW : BigInt(version) });

if (mode === 'append') {
  const { acknowledged, ...figures } = await driveAppends(
    Number(writers),
    Number(durationMs),
    async (writer, version) => {
      await append(`stream-${writer}`, version, [{ type: 'happened', data: eventData(writer, version) }]);
    },
  );
  for (const [writer, count] of acknowledged.entries()) {
    const { currentStreamVersion } = await store.readStream(`stream-${writer}`);
    if (Number(currentStreamVersion) !== count) {
      throw new Error(`stream ${writer} has ${currentStreamVersion}, not ${count}`);
    }
  }
  process.stdout.write(`${JSON.stringify(figures)}\n`);
} else {
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
  const eventsPerSecond = await driveReads(Number(durationMs), read, STREAM_EVENTS);
  process.stdout.write(`${JSON.stringify({ eventsPerSecond })}\n`);
}
process.exit(0);
