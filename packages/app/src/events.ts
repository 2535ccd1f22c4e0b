import type { AnyEvent, Recorded } from '@esdb-gater/gater';
import type { EventQuery, NewEvent } from '@esdb-gater/types';

/** The union of events that a map of types and their data describes: `EventOf<{ order_placed: { total: number } }>`. */
export type EventOf<Events extends object> = {
  [Type in keyof Events & string]: NewEvent<Type, Events[Type]>;
}[keyof Events & string];

/** The recorded events of `E` whose type is `Type`. */
export type RecordedOfType<E extends AnyEvent, Type extends E['type']> = string extends E['type']
  ? Recorded<E>
  : Extract<Recorded<E>, { readonly type: Type }>;

/**
 * Which events of a store are wanted: those of some types, those of a query, or all, also those of other programs and of
 * timers.
 */
export type EventSelection<Type extends string = string> = readonly Type[] | EventQuery | 'all';

/** Returns the query of a selection; undefined for all events of the store. */
export function queryOf(selection: EventSelection): EventQuery | undefined {
  if (selection === 'all') return undefined;
  return isTypes(selection) ? { items: [{ types: selection }] } : selection;
}

function isTypes(selection: EventSelection): selection is readonly string[] {
  return Array.isArray(selection);
}
