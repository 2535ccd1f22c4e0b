import type { CallContext, GetEventsParams, StreamPage, SubscriptionState } from '@esdb-gater/types';
import type { TailStore } from '../tail/tail-store.ts';

/** A store whose events persistent subscriptions deliver: an `EventStore`, or functions over remote workers. */
export interface SubscribedStore extends TailStore {
  getEvents(params: GetEventsParams, context?: CallContext): Promise<StreamPage>;
  readonly subscriptionState: SubscriptionState;
}
