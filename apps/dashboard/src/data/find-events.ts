import type { RecordedEvent, RemoteGater } from '@esdb-gater/client';
import { newestPosition } from './newest-position.ts';

/** What a reader looks for. Exactly one of `stream`, `types` with `tags`, or nothing: the whole store. */
export interface EventFilter {
  readonly storeId: string;
  readonly streamId?: string;
  readonly types?: readonly string[];
  readonly tags?: readonly string[];
}

/** One page of events, and where the pages around it begin. */
export interface EventPage {
  readonly events: readonly RecordedEvent[];
  /** Newest first. */
  readonly older?: number;
}

const PAGE = 50;

/** The query of a filter; undefined for a stream and for the whole store. */
export function queryOf({ types = [], tags = [] }: EventFilter) {
  if (types.length === 0 && tags.length === 0) return undefined;
  return {
    items: [{ ...(types.length === 0 ? {} : { types }), ...(tags.length === 0 ? {} : { tags }) }],
  };
}

/**
 * Reads a page, newest events first, from `before` (a version of the stream or a position of the store, inclusive) downwards.
 * Without `before` it begins with the newest event.
 */
export async function readNewest(
  client: RemoteGater,
  filter: EventFilter,
  before: number | undefined,
  signal: AbortSignal,
  pageEvents: number = PAGE,
): Promise<EventPage> {
  const { storeId, streamId } = filter;
  if (streamId !== undefined) {
    const params = {
      storeId,
      streamId,
      count: pageEvents,
      ...(before === undefined ? {} : { startVersion: before }),
    };
    const { events, next } = await client.streamBackward(params, { signal });
    return { events, ...(next === undefined ? {} : { older: next }) };
  }
  const query = queryOf(filter);
  let top = before ?? (await newestPosition(client, storeId, signal));
  const found: RecordedEvent[] = [];
  // The protocol reads a store forward only: windows of positions, the newest first, until a page is full.
  for (
    let size = query === undefined ? pageEvents : FIRST_WINDOW;
    top > 0 && found.length < pageEvents;
    size = Math.min(size * 2, MAX_WINDOW)
  ) {
    const after = Math.max(0, top - size);
    found.unshift(...(await readWindow(client, { storeId, query, after, upTo: top }, signal)));
    top = after;
  }
  const events = found.slice(-pageEvents).reverse();
  const rest = found.length > pageEvents ? (events.at(-1)?.position ?? 1) - 1 : top;
  return { events, ...(rest > 0 ? { older: rest } : {}) };
}

const FIRST_WINDOW = 1_000;
const MAX_WINDOW = 64_000;

interface PositionWindow {
  readonly storeId: string;
  readonly query: ReturnType<typeof queryOf>;
  readonly after: number;
  readonly upTo: number;
}

async function readWindow(
  client: RemoteGater,
  { storeId, query, after, upTo }: PositionWindow,
  signal: AbortSignal,
): Promise<RecordedEvent[]> {
  const found: RecordedEvent[] = [];
  for (let from: number | undefined = after; from !== undefined && from < upTo; ) {
    const limit = query === undefined ? Math.min(1_000, upTo - from) : 1_000;
    const page = await client.readAll(
      { storeId, after: from, limit, ...(query === undefined ? {} : { query }) },
      { signal },
    );
    found.push(...page.events.filter(({ position }) => position <= upTo));
    from = page.next;
  }
  return found;
}

/**
 * Returns the position of the last event at or before a time, 0 when there is none. Times never decrease in a store, so that a
 * binary search finds it.
 */
export async function positionAt(
  client: RemoteGater,
  storeId: string,
  timeMs: number,
  signal: AbortSignal,
): Promise<number> {
  let low = 0;
  let high = await newestPosition(client, storeId, signal);
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const { events } = await client.readAll({ storeId, after: middle, limit: 1 }, { signal });
    const [event] = events;
    if (event === undefined || event.epochUs > timeMs * 1_000 + 999) high = middle;
    else low = event.position;
  }
  return low;
}

/** How far a search for related events has come. */
export interface RelatedSearch {
  readonly events: readonly RecordedEvent[];
  readonly scanned: number;
  /** Where the next search goes on; absent at the beginning of the store. */
  readonly before?: number;
}

/** One search looks at this many events. */
const SCAN_EVENTS = 20_000;
const SCAN_FOUND = 500;

/**
 * Looks for the events that a correlation or an event belongs to: those with this id, and those that name it as their
 * correlation or causation. The protocol has no index of metadata, so that this reads the store backward, up to 20 000 events at
 * a time.
 */
export async function findRelated(
  client: RemoteGater,
  storeId: string,
  id: string,
  before: number | undefined,
  signal: AbortSignal,
  onProgress: (search: RelatedSearch) => void,
): Promise<RelatedSearch> {
  let top = before ?? (await newestPosition(client, storeId, signal));
  const events: RecordedEvent[] = [];
  let scanned = 0;
  const state = (): RelatedSearch => ({ events: [...events], scanned, ...(top > 0 ? { before: top } : {}) });
  while (top > 0 && scanned < SCAN_EVENTS && events.length < SCAN_FOUND) {
    const after = Math.max(0, top - 1_000);
    const window = await readWindow(client, { storeId, query: undefined, after, upTo: top }, signal);
    scanned += window.length;
    top = after;
    events.push(...window.reverse().filter((event) => isRelated(event, id)));
    onProgress(state());
  }
  return state();
}

function isRelated({ id: own, metadata }: RecordedEvent, id: string): boolean {
  return own === id || metadata['correlationId'] === id || metadata['causationId'] === id;
}
