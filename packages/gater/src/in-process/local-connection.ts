import {
  type ChannelSubscriber,
  type Channels,
  type Clock,
  type Delivery,
  GaterError,
  type SubscribeParams,
} from '@esdb-gater/types';
import { tracedMessage } from '../subscriptions/message-subscription.ts';
import { SubscriptionHub } from '../subscriptions/subscription-hub.ts';
import type { SubscriptionConnection } from '../subscriptions/subscription-pool.ts';

/** Creates the receiving side of subscriptions to the channels of this process, without a network connection. */
export function createLocalConnection(
  channels: Channels,
  clock: Clock,
  onEmpty?: () => void,
): SubscriptionConnection {
  let subscriber: ChannelSubscriber;
  let closed = false;
  const hub = new SubscriptionHub({
    clock,
    ...(onEmpty === undefined ? {} : { onEmpty }),
    link: {
      async subscribe(params: SubscribeParams, { signal, onResult }) {
        onResult(await subscriber.subscribe(params, signal === undefined ? {} : { signal }));
      },
      async unsubscribe({ channel, topic }) {
        if (!closed) subscriber.unsubscribe({ channel, topic });
      },
    },
  });

  function write(deliveries: readonly Delivery[]): void {
    for (const { notice } of deliveries) {
      if (notice.method === 'message') hub.message(tracedMessage(notice.params, notice.trace));
      else if (notice.method === 'replayed') hub.replayed(notice.params);
      else hub.dropped(notice.params);
    }
  }

  function open(): void {
    subscriber = channels.connect({
      sink: {
        write,
        // The hub accepts everything at once and limits its own buffers.
        bufferedBytes: () => 0,
        overflow: reopen,
      },
    });
    hub.connected();
  }

  /** Subscribes again from the last positions after the queue overflowed, as after a lost connection. */
  function reopen(): void {
    hub.disconnected();
    if (!closed) queueMicrotask(open);
  }

  open();
  return {
    hub,
    close: async () => {
      closed = true;
      subscriber.close();
      hub.close({ error: new GaterError('unavailable', 'the Gater is closed') });
    },
  };
}
