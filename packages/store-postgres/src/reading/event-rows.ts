import { eventCore, eventHead, eventTail, PageMeter, type StoredEvent } from '@esdb-gater/event-store';
import { utf8Bytes } from '@esdb-gater/primitives';
import { type CallContext, LIMITS, RawJson } from '@esdb-gater/types';

/** An event as readers select it. */
export type EventColumns = readonly [
  position: number,
  version: number,
  id: string,
  type: string,
  data: string | null,
  contentType: string | null,
  base64: string | null,
  metadata: string,
  tags: string,
  epochUs: number,
  streamId: string,
];

/** What a row takes at most besides its texts, as JSON. */
const ROW_BYTES = 300;

/**
 * Returns a statement that selects the columns of events, in order, but no more than fit into a page. The lengths of long texts are
 * known without reading them.
 *
 * @param rows `FROM events e` and the conditions, the order and the limit
 * @param order the order of the rows
 */
export function selectEvents(schema: string, rows: string, order: string): string {
  return `SELECT e.position, e.version, coalesce(e.id_text, e.id::text) AS id, e.type, e.data, e.content_type,
      translate(encode(e.bytes, 'base64'), E'\\n', '') AS base64, e.metadata, e.tags, e.epoch_us,
      (SELECT name FROM ${schema}.streams WHERE streams.id = e.stream) AS stream_id
    FROM (SELECT e.*, sum(e.size) OVER (ORDER BY ${order}) - e.size AS before FROM (
      SELECT e.*, ${ROW_BYTES} + coalesce(octet_length(e.data), octet_length(e.bytes) / 3 * 4)
        + octet_length(e.metadata) + octet_length(e.tags) AS size ${rows}
    ) e) e WHERE e.before < ${LIMITS.pageBytes} ORDER BY ${order}`;
}

/** Builds a page from rows: one text, which is parsed once. */
export class PageBuilder {
  readonly #head: string;
  readonly #meter: PageMeter;
  readonly #texts: string[] = [];

  /** @param bytes what earlier parts of the page have */
  constructor(storeId: string, bytes = 0) {
    this.#head = eventHead(storeId);
    this.#meter = new PageMeter(bytes);
  }

  get count(): number {
    return this.#texts.length;
  }

  get bytes(): number {
    return this.#meter.bytes;
  }

  /** Adds an event and returns true, or returns false when the page is full. */
  add(columns: EventColumns): boolean {
    const stored = storedEvent(columns);
    const text = this.#head + eventCore(stored) + eventTail(stored.epochUs);
    if (!this.#meter.take(utf8Bytes(text))) return false;
    this.#texts.push(text);
    return true;
  }

  /**
   * Returns the page with the other members of the answer: as text to a caller that asked for JSON, else parsed.
   *
   * @param members JSON without the braces
   */
  close<Page>(members: string, context: CallContext | undefined): Page {
    const text = `{"events":[${this.#texts.join(',')}],${members}}`;
    return (context?.asJson === true ? new RawJson(text) : JSON.parse(text)) as Page;
  }
}

export function storedEvent(columns: EventColumns): StoredEvent {
  const [position, version, id, type, data, contentType, base64, metadata, tags, epochUs, streamId] = columns;
  const stored = { position, version, id, type, data: data ?? '', metadata, tags, epochUs, streamId };
  return contentType === null ? stored : { ...stored, bytes: { contentType, base64: base64 ?? '' } };
}
