import type { CallContext, GetEventsParams, StreamPage } from '@esdb-gater/types';
import type { TailStore } from '../tail/tail-store.ts';

/** The store that is followed: an `EventStore`, or functions over whichever worker serves it. */
export interface FollowStore extends TailStore {
  /** @throws `stream_not_found`, `stream_deleted` and others */
  getEvents(params: GetEventsParams, context?: CallContext): Promise<StreamPage>;
}
