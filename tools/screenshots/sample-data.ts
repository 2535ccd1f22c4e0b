import { setTimeout as sleep } from 'node:timers/promises';
import type { RemoteGater } from '@esdb-gater/client';

const NAMES = ['Ada', 'Grace', 'Barbara', 'Edsger', 'Donald', 'Leslie', 'Radia', 'Tim', 'Margaret', 'Dennis'];
const ITEMS = ['lamp', 'desk', 'chair', 'shelf', 'rug'];
const ORDERS = 240;

/** Writes a small shop: users, orders with their correlations, a subscription with parked events. */
export async function writeSampleData(client: RemoteGater): Promise<void> {
  const storeId = 'default';
  for (const [index, name] of NAMES.entries()) {
    await client.appendEvents({
      storeId,
      streamId: `user-${index + 1}`,
      events: [
        {
          type: 'user_registered',
          data: { name, plan: index % 3 === 0 ? 'pro' : 'free' },
          tags: [`user:${index + 1}`],
        },
      ],
    });
  }
  for (let order = 1; order <= ORDERS; order++) await writeOrder(client, order);
  await parkSomething(client);
}

async function writeOrder(client: RemoteGater, order: number): Promise<void> {
  const storeId = 'default';
  const user = (order % NAMES.length) + 1;
  const correlationId = crypto.randomUUID();
  const placed = crypto.randomUUID();
  const tags = [`order:${order}`, `user:${user}`];
  const lines = [
    { item: ITEMS[order % ITEMS.length] ?? '', count: 1 + (order % 3), price: 19.9 + order },
    { item: ITEMS[(order + 2) % ITEMS.length] ?? '', count: 1, price: 49 },
  ];
  await client.appendEvents({
    storeId,
    streamId: `order-${order}`,
    events: [
      {
        id: placed,
        type: 'order_placed',
        data: {
          customer: { id: user, name: NAMES[user - 1] ?? '' },
          lines,
          express: order % 4 === 0,
          note: null,
        },
        metadata: { correlationId },
        tags,
      },
      {
        type: 'payment_received',
        data: { amount: lines.reduce((sum, { count, price }) => sum + count * price, 0), currency: 'EUR' },
        metadata: { correlationId, causationId: placed },
        tags,
      },
    ],
  });
}

async function parkSomething(client: RemoteGater): Promise<void> {
  const storeId = 'default';
  const selector = 'payment_received';
  const billing = await client.saveSubscription({ storeId, name: 'billing', type: 'event_type', selector });
  let seen = 0;
  for await (const { nack, ack } of billing) {
    if (seen % 40 === 3)
      await nack({ action: 'park', reason: 'the invoice service answered 422: unknown currency' });
    else await ack();
    if (++seen === 200) break;
  }
  await billing.unsubscribe();
  const mailer = await client.saveSubscription({
    storeId,
    name: 'mailer',
    type: 'tags',
    selector: { any: ['user:1'] },
  });
  await mailer.unsubscribe();
}

/** Keeps the gateway busy until the signal: appends, publishes, and subscribers that listen. */
export async function keepBusy(client: RemoteGater, signal: AbortSignal): Promise<void> {
  for (const [channel, topic] of [
    ['events', '>'],
    ['metrics', '>'],
    ['system', '>'],
    ['metrics', 'node.*.cpu'],
  ] as const) {
    const messages = await client.subscribe({ channel, topic }, { signal });
    void drain(messages).catch(() => undefined);
  }
  const warehouse = await client.saveSubscription(
    { storeId: 'default', name: 'warehouse', type: 'stream', selector: '$all', startFrom: 'latest' },
    { signal },
  );
  void drain(warehouse, (one) => one.ack()).catch(() => undefined);
  for (let turn = 0; !signal.aborted; turn++) {
    const wave = 1 + Math.sin(turn / 25) * 0.6 + Math.sin(turn / 7) * 0.25;
    const work: Promise<unknown>[] = [];
    for (let n = 0; n < Math.round(3 * wave); n++) work.push(writeOrder(client, ORDERS + turn * 10 + n));
    for (let n = 0; n < Math.round(14 * wave); n++) {
      const cpu = Math.round(20 + 30 * wave + n);
      work.push(
        client.publish({
          channel: 'metrics',
          topic: `node.${n % 4}.cpu`,
          message: { percent: cpu, load: [0.4, 0.6, 0.5] },
        }),
      );
    }
    if (turn % 5 === 0) {
      work.push(
        client.publish({ channel: 'system', topic: 'deploys.done', message: { version: '1.2.0', turn } }),
      );
      work.push(
        client.publish({
          channel: 'logging',
          topic: 'api.info',
          message: { text: 'request served', ms: 12 },
        }),
      );
    }
    await Promise.allSettled(work);
    await sleep(100, undefined, { signal }).catch(() => undefined);
  }
}

async function drain<Item>(
  items: AsyncIterable<Item>,
  each?: (item: Item) => Promise<unknown>,
): Promise<void> {
  for await (const item of items) await each?.(item);
}
