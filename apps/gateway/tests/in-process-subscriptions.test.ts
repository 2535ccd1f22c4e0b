import { createGater } from '@esdb-gater/client';
import { createMemoryStore, createStoreWorker, createSubscriptions } from '@esdb-gater/event-store';
import { createRegistry } from '@esdb-gater/registry';
import { expect, test } from 'vitest';

test('a Gater of this process serves persistent subscriptions as a gateway does', async () => {
  const store = createMemoryStore({ storeId: 's' });
  const registry = createRegistry();
  registry.register(createStoreWorker(store, { nodeId: 'n' }));
  const subscriptions = createSubscriptions({ stores: [store] });
  const gater = createGater({ registry, subscriptions });
  const named = { storeId: 's', name: 'sub' };
  const params = { ...named, type: 'stream', selector: 'a' } as const;
  await gater.appendEvents({
    storeId: 's',
    streamId: 'a',
    events: [1, 2, 3].map((data) => ({ type: 't', data })),
  });
  const joined = await gater.saveSubscription(params);
  await expect(gater.saveSubscription(params)).rejects.toMatchObject({ reason: 'joined' });
  const seen: unknown[] = [];
  for await (const { event, attempt, ack, nack } of joined) {
    seen.push([event.data, attempt]);
    if (event.version === 0 && attempt === 1) await nack();
    else if (event.version === 1) await nack({ action: 'park', reason: 'bad' });
    else await ack();
    if (event.version === 2) break;
  }
  expect(seen).toEqual([
    [1, 1],
    [1, 2],
    [2, 2],
    [3, 2],
  ]);
  const { subscriptions: listed } = await gater.getSubscriptions({ storeId: 's' });
  expect(listed).toMatchObject([{ ...named, checkpoint: 3, lag: 0, parked: 1, subscribers: 1 }]);
  expect((await gater.listParked(named)).events).toMatchObject([{ reason: 'bad', event: { data: 2 } }]);
  expect(await gater.replayParked(named)).toEqual({ count: 1 });
  const replayed = await joined[Symbol.asyncIterator]().next();
  expect(replayed.value).toMatchObject({ attempt: 3, event: { data: 2 } });
  const at = { ...named, streamId: 'a', eventNumber: 1 };
  expect(await gater.ackEvent(at)).toEqual({ checkpoint: 3 });
  expect(await joined.unsubscribe()).toEqual({ left: true });
  expect(await gater.leaveSubscription(named)).toEqual({ left: false });
  await expect(gater.nackEvent({ ...at, action: 'skip' })).rejects.toMatchObject({ reason: 'not_joined' });
  await gater.resetSubscription({ ...named, startFrom: 0 });
  const again = await gater.saveSubscription(params);
  const ended = (async () => {
    for await (const { ack } of again) await ack();
  })();
  expect(await gater.removeSubscription(named)).toEqual({ removed: true });
  await expect(ended).rejects.toMatchObject({ code: 'subscription_not_found' });
  await gater.close();
  await subscriptions.close();
  await store.close();
});
