import { DatabaseSync } from 'node:sqlite';
import type { Gater } from '@esdb-gater/app';
import { orderList } from './order-list.ts';
import { type OrderEvent, orders } from './orders.ts';
import { eachPaidOrder } from './paid-orders.ts';

/** Starts the projection and the subscription, and places an order. Returns a function that ends both. */
export async function startApplication(gater: Gater<OrderEvent>): Promise<() => Promise<void>> {
  const database = new DatabaseSync('./data/orders.db');
  const list = orderList(gater, database);
  await list.start();
  const stop = new AbortController();
  const paid = eachPaidOrder(gater, (order) => console.log('paid', order), stop.signal);

  const handle = orders(gater);
  const order = crypto.randomUUID();
  await handle({ kind: 'place', order, customer: 'ada', cents: 450 });
  const { position } = await handle({ kind: 'pay', order });
  await list.reached(position);
  console.log('orders', database.prepare('SELECT count(*) AS count FROM orders').get()?.['count']);

  return async () => {
    stop.abort();
    await paid;
    await list.stop();
  };
}
