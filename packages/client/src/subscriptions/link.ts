import type { UnsubscribeParams } from '@esdb-gater/protocol';
import type { SubscribeParams, SubscribeResult } from '@esdb-gater/types';

/** What a hub says to the side that has the messages. */
export interface SubscriptionLink {
  /**
   * Subscribes. `onResult` is called in the moment in which the answer is taken, before any notice that follows it.
   *
   * @throws `unavailable` when there is no connection, or it breaks before the answer
   */
  subscribe(
    params: SubscribeParams,
    options: {
      readonly token?: string;
      readonly signal?: AbortSignal;
      readonly onResult: (result: SubscribeResult) => void;
    },
  ): Promise<unknown>;
  /** Ends a subscription, if there is a connection; never throws. */
  unsubscribe(params: UnsubscribeParams): Promise<void>;
}
