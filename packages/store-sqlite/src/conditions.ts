import type { DatabaseSync } from 'node:sqlite';
import { appendConditionFailed, QueryMatches } from '@esdb-gater/event-store';
import { checkCondition, eventMatcher } from '@esdb-gater/primitives';
import type { AppendCondition, EventQuery } from '@esdb-gater/types';
import { PositionLists } from './position-lists.ts';
import { prepareRows, type RowStatement } from './prepare-rows.ts';

/** The condition of an append, with what is known about its matches. */
export interface KnownCondition {
  readonly query: EventQuery;
  /** No event that matches lies between the caller's `after` and this position. */
  readonly after: number;
  /** The position of the first match. */
  readonly match?: number;
}

/** The answer to an append whose condition would take too long to check in a transaction. Nothing was written. */
export const UNCHECKED = 'unchecked';
export type Unchecked = typeof UNCHECKED;

/** The types and tags that are looked up in the indexes within a transaction. */
const MAX_NAMES = 200;

/** The look-ups besides the first of each list, within a transaction. */
const MAX_LOOKUPS = 500;

/** The newest events that are compared one by one, which takes about as long as looking one name up for each. */
const MAX_COMPARED = 200;

/** Checks a condition and fills in the default. @throws `invalid_argument` */
export function knownCondition(condition: AppendCondition | undefined): KnownCondition | undefined {
  if (condition === undefined) return undefined;
  checkCondition(condition);
  return { query: condition.failIfEventsMatch, after: condition.after ?? 0 };
}

/**
 * Checks the conditions of appends within their transaction, so that they see the appends before them in it.
 *
 * The other writers wait meanwhile, so the work is bounded: either the events after the condition's position are few,
 * or its names and the look-ups for them are.
 */
export class Conditions {
  readonly #lists: PositionLists;
  readonly #events: RowStatement<[position: number, type: string, tags: string]>;

  constructor(database: DatabaseSync) {
    this.#lists = new PositionLists(database);
    this.#events = prepareRows(
      database,
      'SELECT position, type, tags FROM events WHERE position > ? ORDER BY position',
    );
  }

  /**
   * Returns true when no event matches, and false when that takes too long to find out.
   *
   * @throws `append_condition_failed`
   */
  check({ query, after, match }: KnownCondition, newest: number): boolean {
    if (match !== undefined) throw appendConditionFailed(match);
    if (after >= newest) return true;
    const names = countNames(query);
    if (newest - after <= Math.min(names, MAX_COMPARED)) return this.#compare(query, after);
    if (names > MAX_NAMES) return false;
    const { position, found } = new QueryMatches(query, this.#lists, MAX_LOOKUPS).next(after + 1);
    if (found) throw appendConditionFailed(position);
    return position > newest;
  }

  #compare(query: EventQuery, after: number): true {
    const matches = eventMatcher(query);
    for (const [position, type, tags] of this.#events.all(after)) {
      const event = { type, tags: tags === '[]' ? [] : (JSON.parse(tags) as string[]) };
      if (matches(event)) throw appendConditionFailed(position);
    }
    return true;
  }
}

function countNames({ items }: EventQuery): number {
  let names = 0;
  for (const { types = [], tags = [] } of items) names += types.length + tags.length;
  return names;
}
