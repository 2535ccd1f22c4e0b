import type { Gater } from '@esdb-gater/app';
import type { OrderEvent } from './orders.ts';

/**
 * Calls `onPaid` for each paid order. An order is acknowledged when the call has ended, so it comes again after a crash:
 * what `onPaid` does must be safe to repeat. Programs that use the same name share the orders.
 */
export async function eachPaidOrder(
  gater: Gater<OrderEvent>,
  onPaid: (order: string) => Promise<void> | void,
  signal: AbortSignal,
): Promise<void> {
  const subscription = await gater.saveSubscription({
    storeId: 'default',
    name: 'paid-orders',
    type: 'event_type',
    selector: 'order_paid',
  });
  let isBusy = false;
  const leave = (): void => {
    if (!isBusy) void subscription.unsubscribe();
  };
  signal.addEventListener('abort', leave, { once: true });
  for await (const { event, ack } of subscription) {
    isBusy = true;
    if (event.type === 'order_paid') await onPaid(event.data.order);
    await ack();
    isBusy = false;
    if (signal.aborted) break;
  }
}
