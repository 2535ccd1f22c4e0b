// An order system: a command handler with its rules, a read model in SQLite, and a reminder that survives a restart.
import {
  commandHandler,
  type EventOf,
  type Projection,
  projection,
  type Reactor,
  reactor,
  type Timers,
  timers,
} from '@esdb-gater/app';
import { type SqliteDatabase, sqliteProjections } from '@esdb-gater/app/sqlite';
import type { Gater } from '@esdb-gater/client';

export type OrderEvent = EventOf<{
  order_placed: { readonly order: string; readonly customer: string; readonly cents: number };
  order_paid: { readonly order: string };
  order_reminded: { readonly order: string };
  order_cancelled: { readonly order: string; readonly reason: string };
}>;

export type OrderCommand = { readonly order: string } & (
  | { readonly kind: 'place'; readonly customer: string; readonly cents: number }
  | { readonly kind: 'pay' | 'remind' }
  | { readonly kind: 'cancel'; readonly reason: string }
);

interface Order {
  readonly status: 'none' | 'placed' | 'paid' | 'cancelled';
}

const NEXT_STATUS = {
  order_placed: 'placed',
  order_paid: 'paid',
  order_reminded: 'placed',
  order_cancelled: 'cancelled',
} as const;

export function orders(gater: Gater<OrderEvent>) {
  return commandHandler({
    gater,
    streamId: ({ order }: OrderCommand) => `order-${order}`,
    initialState: { status: 'none' } as Order,
    evolve: (_, { type }): Order => ({ status: NEXT_STATUS[type] }),
    decide(command, { status }) {
      const { order } = command;
      switch (command.kind) {
        case 'place': {
          if (status !== 'none') throw new Error(`order ${order} exists already`);
          return { type: 'order_placed', data: { order, customer: command.customer, cents: command.cents } };
        }
        case 'pay':
          if (status !== 'placed') throw new Error(`order ${order} cannot be paid: it is ${status}`);
          return { type: 'order_paid', data: { order } };
        case 'remind':
          return status === 'placed' ? { type: 'order_reminded', data: { order } } : [];
        case 'cancel':
          if (status === 'paid') throw new Error(`order ${order} is paid already`);
          return status === 'placed'
            ? { type: 'order_cancelled', data: { order, reason: command.reason } }
            : [];
      }
    },
  });
}

/** The read model: select from `orders`. */
export function orderList(gater: Gater<OrderEvent>, database: SqliteDatabase): Projection {
  return projection({
    gater,
    name: 'order-list',
    events: ['order_placed', 'order_paid', 'order_reminded', 'order_cancelled'],
    store: sqliteProjections(database, {
      tables: {
        orders: {
          columns:
            'id TEXT PRIMARY KEY, customer TEXT NOT NULL, cents INTEGER NOT NULL, status TEXT NOT NULL',
          indexes: [['customer']],
        },
      },
    }),
    handle({ type, data }, { table, run }) {
      if (type === 'order_placed') {
        const row = [data.order, data.customer, data.cents] as const;
        run(`INSERT INTO ${table('orders')} VALUES (?, ?, ?, 'placed')`, ...row);
      } else {
        run(`UPDATE ${table('orders')} SET status = ? WHERE id = ?`, NEXT_STATUS[type], data.order);
      }
    },
  });
}

/** Reminds of an order that is not paid a day after it was placed. */
export function reminders(gater: Gater<OrderEvent>): {
  readonly due: Timers<{ readonly order: string }>;
  readonly planner: Reactor;
} {
  const handle = orders(gater);
  const due = timers<{ readonly order: string }, OrderEvent>({
    gater,
    name: 'order-reminders',
    async fire({ message }, effects) {
      await effects.handle(handle, { kind: 'remind', order: message.order });
    },
  });
  const planner = reactor({
    gater,
    name: 'order-reminders',
    on: ['order_placed'],
    async react({ data, timestamp }, effects) {
      const at = Date.parse(timestamp) + 86_400_000;
      await effects.schedule(due, { at, message: { order: data.order } });
    },
  });
  return { due, planner };
}
