import type { EventQuery, RecordedEvent, StorePage } from '@esdb-gater/types';

/** A part of a page of matching events that the reader is asked for. */
export interface QueryRead {
  readonly query: EventQuery;
  readonly after: number;
  readonly limit: number;
  /** What the earlier parts of the page have, as JSON. */
  readonly bytes: number;
}

/** What the reader found. */
interface QueryPart {
  readonly events: readonly RecordedEvent[];
  /** `more`: the page is full and there is another match. `paused`: the search took long and can be resumed. */
  readonly state: 'more' | 'end' | 'paused';
  /** The position up to which everything was searched. */
  readonly reached: number;
  /** Of this and all earlier parts. */
  readonly bytes: number;
}

/**
 * Reads a page of matching events. A search that finds little is done in parts, so that other calls of the reader get
 * their turn in between.
 *
 * @param ask returns the JSON of a `QueryPart`
 */
export async function readQueryPage(
  read: Omit<QueryRead, 'bytes'>,
  ask: (part: QueryRead) => Promise<string>,
): Promise<StorePage> {
  const events: RecordedEvent[] = [];
  let { after } = read;
  let bytes = 0;
  for (;;) {
    const text = await ask({ ...read, after, limit: read.limit - events.length, bytes });
    const part = JSON.parse(text) as QueryPart;
    for (const event of part.events) events.push(event);
    if (part.state === 'end') return { events, lastPosition: part.reached };
    const last = events.at(-1)?.position;
    if (part.state === 'more' && last !== undefined) return { events, lastPosition: last, next: last };
    after = part.reached;
    bytes = part.bytes;
  }
}
