import type { EventQuery, RecordedEvent } from '@esdb-gater/types';

/** What a follow selects: one stream, a query, or with neither the whole store. */
export interface FollowSelection {
  readonly streamId?: string;
  readonly query?: EventQuery;
}

/** The members of an event by which it is selected. */
export type SelectableEvent = Pick<RecordedEvent, 'streamId' | 'type' | 'tags'>;

/** Compiles a selection. Costs a few look-ups for each event, however many types and tags the query has. */
export function compileSelection({ streamId, query }: FollowSelection): (event: SelectableEvent) => boolean {
  if (streamId !== undefined) return (event) => event.streamId === streamId;
  if (query === undefined) return () => true;
  const items = query.items.map(({ types, tags }) => ({
    types: types === undefined ? undefined : new Set(types),
    tags: tags ?? [],
  }));
  return ({ type, tags }) =>
    items.some(
      (item) =>
        (item.types === undefined || item.types.has(type)) && item.tags.every((tag) => tags.includes(tag)),
    );
}
