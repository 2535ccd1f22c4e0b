import { eventHead, type StoredEvent } from '@esdb-gater/event-store';
import { LIMITS } from '@esdb-gater/types';

/** An event as the check of the chains selects it. */
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

/** What a row takes at most besides its data, metadata and tags, as JSON. */
const ROW_BYTES = 1_500;

const ID = 'coalesce(e.id_text, e.id::text)';

/** PostgreSQL breaks base64 into lines. */
const BASE64 = `translate(encode(e.bytes, 'base64'), E'\\n', '')`;

const nameOf = (schema: string): string => `(SELECT name FROM ${schema}.streams WHERE streams.id = e.stream)`;

/** Returns a statement that selects the columns of events, in order. */
export function selectColumns(schema: string, rows: string, order: string): string {
  return `SELECT e.position, e.version, ${ID} AS id, e.type, e.data, e.content_type, ${BASE64} AS base64,
      e.metadata, e.tags, e.epoch_us, ${nameOf(schema)} AS stream_id
    ${pageOf(rows, order)}`;
}

/**
 * Returns a statement that selects a page as JSON: one text, as reading a row of columns for each event costs several times as
 * much. Its columns are those of `PageColumns`.
 *
 * @param name the name of the stream as JSON, in SQL. @default that of each event
 */
export function selectPage(
  storeId: string,
  schema: string,
  rows: string,
  order: string,
  name = `to_json(${nameOf(schema)})`,
): string {
  const event = `concat('${eventHead(storeId)}"streamId":', ${name}, ',"version":', e.version, ',"position":', e.position,
      ',"id":"', ${ID}, '","type":', to_json(e.type),
      CASE WHEN e.data IS NULL THEN concat(',"dataBase64":"', ${BASE64}, '","contentType":', to_json(e.content_type))
        ELSE concat(',"data":', e.data) END,
      ',"metadata":', e.metadata, ',"tags":', e.tags, ',"epochUs":', e.epoch_us, ',"timestamp":"',
      to_char(timestamp '1970-01-01' + (e.epoch_us / 1000) * interval '1 millisecond', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), '"}')`;
  return `SELECT count(*) AS count, min(p.position) AS first_position, max(p.position) AS last_position,
      min(p.version) AS lowest, max(p.version) AS highest, string_agg(p.event, ',') AS events
    FROM (SELECT e.position, e.version, ${event} AS event ${pageOf(rows, order)}) p`;
}

/** What `selectPage` selects. Without events all but the count are null. */
export type PageColumns = readonly [
  count: number,
  firstPosition: number | null,
  lastPosition: number | null,
  lowest: number | null,
  highest: number | null,
  events: string | null,
];

/**
 * Leaves out what does not fit into a page. The lengths of long texts are known without reading them.
 *
 * @param rows `FROM events e` and the conditions, the order and the limit
 */
function pageOf(rows: string, order: string): string {
  return `FROM (SELECT e.*, sum(e.size) OVER (ORDER BY ${order}) AS total FROM (
      SELECT e.*, ${ROW_BYTES} + coalesce(octet_length(e.data), octet_length(e.bytes) / 3 * 4)
        + octet_length(e.metadata) + octet_length(e.tags) AS size ${rows}
    ) e) e WHERE e.total <= ${LIMITS.pageBytes} OR e.total = e.size ORDER BY ${order}`;
}

export function storedEvent(columns: EventColumns): StoredEvent {
  const [position, version, id, type, data, contentType, base64, metadata, tags, epochUs, streamId] = columns;
  const stored = { position, version, id, type, data: data ?? '', metadata, tags, epochUs, streamId };
  return contentType === null ? stored : { ...stored, bytes: { contentType, base64: base64 ?? '' } };
}
