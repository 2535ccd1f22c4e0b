import type { Gater } from '@esdb-gater/app';
import { type Projection, projection } from '@esdb-gater/app';
import { type SqliteDatabase, sqliteProjections } from '@esdb-gater/app/sqlite';
import type { OrderEvent } from './orders.ts';

/** The read model: select from `orders`. Its position is kept in the same transaction. */
export function orderList(gater: Gater<OrderEvent>, database: SqliteDatabase): Projection {
  return projection({
    gater,
    name: 'order-list',
    events: ['order_placed', 'order_paid'],
    store: sqliteProjections(database, {
      tables: {
        orders: 'id TEXT PRIMARY KEY, customer TEXT NOT NULL, cents INTEGER NOT NULL, status TEXT NOT NULL',
      },
    }),
    handle(event, { table, run }) {
      if (event.type === 'order_placed') {
        const { order, customer, cents } = event.data;
        run(`INSERT INTO ${table('orders')} VALUES (?, ?, ?, 'placed')`, order, customer, cents);
      } else {
        run(`UPDATE ${table('orders')} SET status = 'paid' WHERE id = ?`, event.data.order);
      }
    },
  });
}
