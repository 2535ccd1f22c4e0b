import type { UnsubscribeParams } from '@esdb-gater/protocol';
import type { SubscribeParams, SubscribeResult } from '@esdb-gater/types';

/** How a hub subscribes and unsubscribes. */
export interface SubscriptionLink {
  /**
   * Subscribes. Calls `onResult` when the answer is received, before any later notification is handled.
   *
   * @throws `unavailable` when there is no connection or it breaks before the answer
   */
  subscribe(
    params: SubscribeParams,
    options: {
      readonly token?: string;
      readonly signal?: AbortSignal;
      readonly onResult: (result: SubscribeResult) => void;
    },
  ): Promise<unknown>;
  /** Ends a subscription if there is a connection. Never throws. */
  unsubscribe(params: UnsubscribeParams): Promise<void>;
}
