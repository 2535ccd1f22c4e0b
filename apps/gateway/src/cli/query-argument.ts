import type { EventQuery } from '@esdb-gater/types';
import { jsonArgument } from './context.ts';
import { UsageError } from './exit.ts';

export interface QueryOptions {
  /** JSON: `{ items: [{ types?, tags? }] }`, or the list of items. */
  readonly query?: string;
  readonly type?: readonly string[];
  readonly tag?: readonly string[];
}

/**
 * Returns the query of `--query`, or of `--type` (one of them) and `--tag` (all of them); undefined without any. The gateway
 * checks it.
 *
 * @throws UsageError
 */
export function queryArgument({ query, type, tag }: QueryOptions): EventQuery | undefined {
  const item: EventQuery['items'][number] = { ...(type && { types: type }), ...(tag && { tags: tag }) };
  const isByFlags = type !== undefined || tag !== undefined;
  if (query === undefined) return isByFlags ? { items: [item] } : undefined;
  if (isByFlags) throw new UsageError('give either --query or --type and --tag');
  const value = jsonArgument('--query', query, 'query');
  return (Array.isArray(value) ? { items: value } : value) as EventQuery;
}
