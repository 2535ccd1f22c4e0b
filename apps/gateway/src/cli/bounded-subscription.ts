import type { Gater } from '@esdb-gater/client';
import type { ChannelMessage, SubscribeParams } from '@esdb-gater/types';

/** Messages that may wait for a slow reader. Each has at most 2 MiB. */
const MAX_WAITING = 16;

/** How often the waiting messages are counted while the reader is busy. */
const CHECK_MS = 10;

/** Messages of a topic, of which only a few wait at a time. */
export interface BoundedMessages extends AsyncIterable<ChannelMessage> {
  /** Waits until a message is written, and lets go of the subscription when too many others come meanwhile. */
  whileWriting(written: Promise<void>): Promise<void>;
}

/**
 * Subscribes to a topic for a reader that may be slower than the messages come. When too many wait, it ends the
 * subscription, and begins a new one after the last message once the reader has caught up. So the messages wait in the
 * history of the channel, not in this process.
 */
export async function subscribeBounded(
  client: Gater,
  params: SubscribeParams,
  signal: AbortSignal,
): Promise<BoundedMessages> {
  let subscription = await client.subscribe(params, { signal });
  let isPaused = false;
  async function* messages(): AsyncGenerator<ChannelMessage> {
    try {
      for (;;) {
        yield* subscription;
        if (!isPaused) return;
        const from = { position: subscription.position };
        isPaused = false;
        subscription = await client.subscribe({ ...params, from }, { signal });
      }
    } finally {
      await subscription.unsubscribe();
    }
  }
  const iterator = messages();
  return {
    [Symbol.asyncIterator]: () => iterator,
    async whileWriting(written) {
      const timer = setInterval(() => {
        if (isPaused || subscription.waiting <= MAX_WAITING) return;
        isPaused = true;
        void subscription.unsubscribe();
      }, CHECK_MS);
      try {
        await written;
      } finally {
        clearInterval(timer);
      }
    },
  };
}
