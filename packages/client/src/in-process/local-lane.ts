import {
  type ChannelSubscriber,
  type Channels,
  type Clock,
  type Delivery,
  GaterError,
  type SubscribeParams,
} from '@esdb-gater/types';
import type { Lane } from '../subscriptions/lanes.ts';
import { SubscriptionHub } from '../subscriptions/subscription-hub.ts';

/** Subscriptions to the channels of this process: the receiving end of one connection, without a connection. */
export function createLocalLane(channels: Channels, clock: Clock, onEmpty?: () => void): Lane {
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
      if (notice.method === 'message') hub.message(notice.params);
      else if (notice.method === 'replayed') hub.replayed(notice.params);
      else hub.dropped(notice.params);
    }
  }

  function open(): void {
    subscriber = channels.connect({
      sink: {
        write,
        // The hub takes everything at once, and bounds what waits by itself.
        bufferedBytes: () => 0,
        overflow: reopen,
      },
    });
    hub.connected();
  }

  /** The queue was full: everything comes back from where it stood, as over a connection that was closed. */
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
