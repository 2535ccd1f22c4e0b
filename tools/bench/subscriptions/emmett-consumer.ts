// Contestant: the consumer of @event-driven-io/emmett-sqlite, which keeps a checkpoint in the database, in this process.
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { benchFolder } from '../lib/machine.ts';
import { createCounter, fill } from './workload.ts';

interface EmmettStore {
  readonly schema: { migrate(): Promise<void> };
  appendToStream(
    stream: string,
    events: readonly { readonly type: string; readonly data: object }[],
    options: { readonly expectedStreamVersion: bigint | string },
  ): Promise<unknown>;
  consumer(options: { readonly pulling: { readonly batchSize: number } }): {
    processor(options: {
      readonly processorId: string;
      readonly startFrom: 'BEGINNING';
      readonly eachMessage: () => void;
    }): unknown;
    start(): Promise<void>;
  };
}

const require = createRequire(join(import.meta.dirname, '..', 'peers', 'package.json'));
const { getSQLiteEventStore } = require('@event-driven-io/emmett-sqlite') as {
  getSQLiteEventStore(options: { readonly fileName: string }): EmmettStore;
};

const store = getSQLiteEventStore({ fileName: join(benchFolder('emmett-consumer'), 'bench.db') });
await store.schema.migrate();
await fill((stream, version, data) =>
  store.appendToStream(
    stream,
    data.map((one) => ({ type: 'happened', data: one })),
    { expectedStreamVersion: version === 0 ? 'STREAM_DOES_NOT_EXIST' : BigInt(version) },
  ),
);

const counter = createCounter();
const consumer = store.consumer({ pulling: { batchSize: 1_000 } });
consumer.processor({ processorId: 'bench', startFrom: 'BEGINNING', eachMessage: () => counter.count() });
consumer.start().catch((error: unknown) => {
  process.stderr.write(`${String(error)}\n`);
  process.exit(1);
});
process.stdout.write(`${JSON.stringify({ eventsPerSecond: await counter.perSecond })}\n`);
process.exit(0);
