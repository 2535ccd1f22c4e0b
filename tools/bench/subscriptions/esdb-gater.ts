// Contestant: a reader that catches up with a SQLite store, in this process or through a gateway.
import { join } from 'node:path';
import { connect, createGater, type Gater } from '@esdb-gater/client';
import { createStoreWorker, createSubscriptions } from '@esdb-gater/event-store';
import { createRegistry } from '@esdb-gater/registry';
import { openSqliteStore } from '@esdb-gater/store-sqlite';
import { benchFolder } from '../lib/machine.ts';
import { startGateway } from '../lib/server-process.ts';
import { createCounter, fill } from './workload.ts';

const [where, how] = [process.argv[2], process.argv[3]];
const storeId = 'default';

const server = where === 'remote' ? await startGateway({ 'data-dir': benchFolder('gateway') }) : undefined;
const gater: Gater = server === undefined ? await openEmbedded() : await connect(server.url);
await fill((streamId, _version, data) =>
  gater.appendEvents({ storeId, streamId, events: data.map((one) => ({ type: 'happened', data: one })) }),
);

const counter = createCounter();
if (how === 'by-hand') {
  for await (const _event of gater.allEvents({ storeId, limit: 1_000 })) counter.count();
} else {
  const params = { storeId, name: 'bench', type: 'stream', selector: '$all', maxInFlight: 1_000 } as const;
  const subscription = await gater.saveSubscription(params);
  void (async () => {
    for await (const { ack } of subscription) {
      counter.count();
      ack().catch(() => undefined);
    }
  })();
}
process.stdout.write(`${JSON.stringify({ eventsPerSecond: await counter.perSecond })}\n`);
await server?.stop();
process.exit(0);

async function openEmbedded(): Promise<Gater> {
  const store = await openSqliteStore({ storeId, file: join(benchFolder('subscriptions'), 'bench.db') });
  const registry = createRegistry();
  registry.register(createStoreWorker(store, { nodeId: 'bench' }));
  return createGater({ registry, subscriptions: createSubscriptions({ stores: [store] }) });
}
