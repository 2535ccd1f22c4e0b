import type { AnyEvent, Appendable } from '@esdb-gater/gater';
import { derivedId } from '../derived-id.ts';

/** What the events of a command carry besides what was decided. */
export interface Stamp {
  /** The id of the command: the ids of its events are derived from it. */
  readonly commandId: string | undefined;
  readonly correlationId?: string | undefined;
  readonly causationId?: string | undefined;
  /** A tag that each event gets. */
  readonly tag?: string | undefined;
}

/**
 * Returns the events of a decision as they are appended. With the id of a command each event has an id that is derived from
 * it and from its place. What an event says of its causes itself stays.
 */
export function stampEvents<A extends AnyEvent>(
  events: readonly A[],
  stamp: Stamp,
): readonly Appendable<A>[] {
  const { commandId, correlationId = commandId, causationId = commandId, tag } = stamp;
  const causes = {
    ...(correlationId === undefined ? {} : { correlationId }),
    ...(causationId === undefined ? {} : { causationId }),
  };
  const hasCauses = Object.keys(causes).length > 0;
  const stamped = events.map((event, index) => ({
    ...event,
    ...(commandId === undefined ? {} : { id: derivedId(commandId, index) }),
    ...(hasCauses ? { metadata: { ...causes, ...event.metadata } } : {}),
    ...(tag === undefined ? {} : { tags: [...(event.tags ?? []), tag] }),
  }));
  // The types of data stay those of `A`; only what every event may carry is added.
  return stamped as unknown as readonly Appendable<A>[];
}
