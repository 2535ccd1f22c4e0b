import type { ChannelMessage, ChannelName } from '@esdb-gater/types';

/**
 * Messages of one topic or pattern, as they come.
 *
 * It has one reader; leaving a loop does not end it, so that the next loop goes on where the last one stopped.
 * `unsubscribe()`, or leaving the scope of an `await using`, ends it.
 *
 * It lives on through lost connections: it comes back from the last position, without loss or duplicate as far as
 * the history reaches. When that is no longer held, the iteration ends with `invalid_argument`, reason
 * `position_lost`.
 */
export interface MessageSubscription extends AsyncIterable<ChannelMessage>, AsyncDisposable {
  readonly channel: ChannelName;
  readonly topic: string;
  /** That of the last message that was read, or from where the reading begins; handing it to `from` goes on after it. */
  readonly position: string;
  /** True when part of what should have come is gone: `onLost` told of it. */
  readonly lost: boolean;
  /** Messages that wait to be read. */
  readonly waiting: number;
  /** Ends the iteration after what waits. False when it had ended already. */
  unsubscribe(): Promise<{ readonly removed: boolean }>;
}
