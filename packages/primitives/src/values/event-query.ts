import {
  type AppendCondition,
  type EventQuery,
  type EventQueryItem,
  type GaterError,
  invalidArgument,
  isName,
  LIMITS,
} from '@esdb-gater/types';
import { requireInteger } from '../errors/options.ts';

/** The members of an event that a query looks at. */
export interface MatchableEvent {
  readonly type: string;
  readonly tags: readonly string[];
}

/**
 * Checks a query: 1 to 1 000 items, each with a type or a tag, and at most 10 000 types and tags in all.
 *
 * @param path names the query in errors
 * @throws `invalid_argument` (reason `query`)
 */
export function checkQuery(query: EventQuery, path = 'query'): void {
  const items: unknown = query?.items;
  if (!Array.isArray(items) || items.length < 1 || items.length > LIMITS.queryItems) {
    throw wrongQuery(`${path}.items`, `an array of 1 to ${LIMITS.queryItems} items`);
  }
  let names = 0;
  for (const [index, item] of items.entries()) {
    const at = `${path}.items[${index}]`;
    const count = countNames(item, 'types', at) + countNames(item, 'tags', at);
    if (count === 0) throw wrongQuery(at, 'an item with at least one type or tag');
    names += count;
  }
  if (names > LIMITS.queryNames) {
    throw wrongQuery(path, `a query of at most ${LIMITS.queryNames} types and tags, got ${names}`);
  }
}

function countNames(item: EventQueryItem, member: 'types' | 'tags', path: string): number {
  const names: unknown = item?.[member];
  if (names === undefined) return 0;
  if (Array.isArray(names) && names.every(isName)) return names.length;
  throw wrongQuery(`${path}.${member}`, 'an array of names');
}

function wrongQuery(path: string, expected: string): GaterError {
  return invalidArgument('query', `\`${path}\` must be ${expected}`, { path });
}

/** Checks the condition of an append. @throws `invalid_argument` (reasons `query`, `position`) */
export function checkCondition(condition: AppendCondition): void {
  checkQuery(condition.failIfEventsMatch, 'condition.failIfEventsMatch');
  if (condition.after === undefined) return;
  requireInteger('condition.after', condition.after, { reason: 'position', min: 0 });
}

/**
 * Returns a function that says whether an event matches a query: one of its items, that is one of the item's `types`
 * and all of its `tags`. A list that is absent or empty does not restrict.
 */
export function eventMatcher(query: EventQuery): (event: MatchableEvent) => boolean {
  const items = query.items.map(({ types = [], tags = [] }) => ({ types: new Set(types), tags }));
  return ({ type, tags }) =>
    items.some(
      (item) =>
        (item.types.size === 0 || item.types.has(type)) && item.tags.every((tag) => tags.includes(tag)),
    );
}
