import { mkdirSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { connect } from '@esdb-gater/client';
import { orderList } from './order-list.ts';
import { type OrderEvent, orders } from './orders.ts';
import { eachPaidOrder } from './paid-orders.ts';

mkdirSync('./data', { recursive: true });
const url = process.env['ESDB_GATER_URL'] ?? 'ws://127.0.0.1:4590';
const gater = await connect<OrderEvent>(url, { storeId: 'default' });
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

async function close(): Promise<void> {
  stop.abort();
  await paid;
  await list.stop();
  await gater.close();
}
process.once('SIGINT', close);
process.once('SIGTERM', close);
