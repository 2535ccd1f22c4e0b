import type { Gater } from '@esdb-gater/app';
import { commandHandler, type EventOf } from '@esdb-gater/app';

export type OrderEvent = EventOf<{
  order_placed: { readonly order: string; readonly customer: string; readonly cents: number };
  order_paid: { readonly order: string };
}>;

export type OrderCommand = { readonly order: string } & (
  | { readonly kind: 'place'; readonly customer: string; readonly cents: number }
  | { readonly kind: 'pay' }
);

type Status = 'none' | 'placed' | 'paid';

/** The aggregate: one stream for each order. */
export function orders(gater: Gater<OrderEvent>) {
  return commandHandler({
    gater,
    streamId: ({ order }: OrderCommand) => `order-${order}`,
    initialState: 'none' as Status,
    evolve: (_, { type }): Status => (type === 'order_placed' ? 'placed' : 'paid'),
    decide(command, status) {
      const { order } = command;
      if (command.kind === 'place') {
        if (status !== 'none') throw new Error(`order ${order} exists already`);
        return { type: 'order_placed', data: { order, customer: command.customer, cents: command.cents } };
      }
      if (status !== 'placed') throw new Error(`order ${order} cannot be paid: it is ${status}`);
      return { type: 'order_paid', data: { order } };
    },
  });
}
