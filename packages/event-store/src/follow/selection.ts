import { eventMatcher } from '@esdb-gater/primitives';
import type { EventQuery, RecordedEvent } from '@esdb-gater/types';

/** What a follow selects: one stream, a query, or with neither the whole store. */
export interface FollowSelection {
  readonly streamId?: string;
  readonly query?: EventQuery;
}

/** The members of an event by which it is selected. */
export type SelectableEvent = Pick<RecordedEvent, 'streamId' | 'type' | 'tags'>;

/** Compiles a selection. */
export function compileSelection({ streamId, query }: FollowSelection): (event: SelectableEvent) => boolean {
  if (streamId !== undefined) return (event) => event.streamId === streamId;
  return query === undefined ? () => true : eventMatcher(query);
}
