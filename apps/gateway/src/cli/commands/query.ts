import type { RemoteGater } from '@esdb-gater/client';
import { type EventQuery, LIMITS, type RecordedEvent } from '@esdb-gater/types';
import { type CommonOptions, connectGateway, integerArgument, outputOf, type Terminal } from '../context.ts';
import { writeEvents } from '../event-output.ts';
import { UsageError } from '../exit.ts';
import { type QueryOptions, queryArgument } from '../query-argument.ts';

export interface QueryCommandOptions extends CommonOptions, QueryOptions {
  readonly after?: string;
  readonly count?: string;
}

/** `query`: prints the events of a store that match types and tags, in the order of positions. */
export async function query(options: QueryCommandOptions, terminal: Terminal): Promise<void> {
  const wanted = queryArgument(options);
  if (wanted === undefined) throw new UsageError('give --type, --tag or --query');
  const after = options.after === undefined ? 0 : integerArgument('--after', options.after, 0);
  const count =
    options.count === undefined ? Number.POSITIVE_INFINITY : integerArgument('--count', options.count, 1);
  await using client = await connectGateway(options, terminal);
  const events = matching(client, options.store, wanted, after, count, terminal.interrupted);
  await writeEvents(outputOf(options, terminal), events, count);
}

async function* matching(
  client: RemoteGater,
  storeId: string,
  wanted: EventQuery,
  start: number,
  count: number,
  signal: AbortSignal,
): AsyncGenerator<RecordedEvent> {
  const limit = Math.min(count, LIMITS.pageCount);
  let after: number | undefined = start;
  while (after !== undefined) {
    const page = await client.queryEvents({ storeId, query: wanted, after, limit }, { signal });
    yield* page.events;
    after = page.next;
  }
}
