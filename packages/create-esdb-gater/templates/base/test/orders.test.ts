import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { createTestGater, specification } from '@esdb-gater/app/testing';
import { orderList } from '../src/order-list.ts';
import { type OrderEvent, orders } from '../src/orders.ts';
import { eachPaidOrder } from '../src/paid-orders.ts';

test('an order is placed once, and paid once', async () => {
  const gater = createTestGater<OrderEvent>();
  const { given } = specification(orders(gater));
  const placed = { type: 'order_placed', data: { order: '1', customer: 'ada', cents: 450 } } as const;
  const paid = { type: 'order_paid', data: { order: '1' } } as const;
  const place = { kind: 'place', ...placed.data } as const;
  const pay = { kind: 'pay', order: '1' } as const;
  given().when(place).then(placed);
  given(placed)
    .when(place)
    .thenThrows(/exists already/);
  given(placed).when(pay).then(paid);
  given([placed, paid])
    .when(pay)
    .thenThrows(/it is paid/);
  await gater.close();
});

test('the list and the subscription see a paid order', async () => {
  const gater = createTestGater<OrderEvent>();
  const database = new DatabaseSync(':memory:');
  const list = orderList(gater, database);
  await list.start();
  const handle = orders(gater);
  await handle({ kind: 'place', order: '1', customer: 'ada', cents: 450 });
  const { position } = await handle({ kind: 'pay', order: '1' });
  await list.reached(position);
  assert.equal(database.prepare('SELECT status FROM orders').get()?.['status'], 'paid');
  const stop = new AbortController();
  const seen: string[] = [];
  await eachPaidOrder(
    gater,
    (order) => {
      seen.push(order);
      stop.abort();
    },
    stop.signal,
  );
  assert.deepEqual(seen, ['1']);
  await list.stop();
  await gater.close();
});
