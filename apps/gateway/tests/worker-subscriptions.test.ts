import { connect, serveWorker } from '@esdb-gater/client';
import { createMemoryStore, createStoreWorker } from '@esdb-gater/event-store';
import { expect, test } from 'vitest';
import { startTestGateway } from './support/in-process.ts';

test('a store that a worker serves has persistent subscriptions, which the gateway keeps', async () => {
  await using gateway = await startTestGateway({ stores: '{}' });
  const store = createMemoryStore({ storeId: 'afar' });
  const append = (data: number) =>
    store.appendEvents({ storeId: 'afar', streamId: 'a', events: [{ type: 't', data }] });
  const offer = async () => {
    const server = await connect(gateway.url);
    await serveWorker(server.connection, createStoreWorker(store, { nodeId: 'n' }));
    return server;
  };
  const first = await offer();
  await using client = await connect(gateway.url);
  await append(0);
  const joined = await client.saveSubscription({
    storeId: 'afar',
    name: 'n',
    type: 'stream',
    selector: '$all',
  });
  const events = joined[Symbol.asyncIterator]();
  const next = async () => (await events.next()).value;
  await (await next())?.ack();
  const bad = append(1).then(next);
  await (await bad)?.nack({ action: 'park', reason: 'bad' });
  expect((await client.listParked({ storeId: 'afar', name: 'n' })).events).toMatchObject([{ reason: 'bad' }]);
  // The worker leaves by accident, and comes back: the subscription goes on by itself.
  await first.close();
  await append(2);
  const second = await offer();
  const third = await next();
  expect(third?.event.data).toBe(2);
  expect(await third?.ack()).toEqual({ checkpoint: 3 });
  const { subscriptions } = await client.getSubscriptions({ storeId: 'afar' });
  expect(subscriptions).toMatchObject([{ name: 'n', checkpoint: 3, parked: 1, subscribers: 1 }]);
  await joined.unsubscribe();
  await second.close();
  await store.close();
});
