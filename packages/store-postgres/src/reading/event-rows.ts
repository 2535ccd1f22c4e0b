import { eventHead, isoTimestamp, type StoredEvent } from '@esdb-gater/event-store';
import { LIMITS, type RecordedEvent } from '@esdb-gater/types';

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

const SIZE = `${ROW_BYTES} + coalesce(octet_length(e.data), octet_length(e.bytes) / 3 * 4)
  + octet_length(e.metadata) + octet_length(e.tags)`;

const ID = 'coalesce(e.id_text, e.id::text)';

/** PostgreSQL breaks base64 into lines. */
const BASE64 = `translate(encode(e.bytes, 'base64'), E'\\n', '')`;

const TIMESTAMP = `to_char(timestamp '1970-01-01' + (e.epoch_us / 1000) * interval '1 millisecond', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;

const nameOf = (schema: string): string => `(SELECT name FROM ${schema}.streams WHERE streams.id = e.stream)`;

/** Returns a name as JSON, in SQL: names have no control characters. `to_json` would take several times as long. */
const quoted = (name: string): string =>
  `'"' || replace(replace(${name}, E'\\\\', E'\\\\\\\\'), '"', E'\\\\"') || '"'`;

/** Some events, as `FROM` takes them, and their order. */
export interface EventSource {
  /** The condition on the event `e`. */
  readonly where: string;
  readonly order: string;
}

/**
 * Returns a statement that selects the columns of up to `limit` events, in order.
 *
 * @param schema as SQL
 */
export function selectColumns(schema: string, source: EventSource, limit: number): string {
  return `SELECT e.position, e.version, ${ID} AS id, e.type, e.data, e.content_type, ${BASE64} AS base64,
      e.metadata, e.tags, e.epoch_us, ${nameOf(schema)} AS stream_id
    FROM ${schema}.events e WHERE ${source.where} ORDER BY ${source.order} LIMIT (${fitting(schema, source, limit)})`;
}

/**
 * What the text of a page holds: the JSON of each event, as a caller passes it on, or the fields of each, which take the
 * server and the parser half of the time.
 */
export type PageForm = 'json' | 'fields';

export interface PageOptions {
  readonly storeId: string;
  /** As SQL. */
  readonly schema: string;
  readonly form: PageForm;
  readonly source: EventSource;
  /** The name of the stream, in SQL. @default that of each event */
  readonly streamName?: string;
}

/**
 * Returns a statement that selects a page as one text, as reading a row of columns for each event costs several times as
 * much. Its columns are those of `PageColumns`. The source itself limits the count of events.
 */
export function selectPage({ storeId, schema, form, source, streamName }: PageOptions): string {
  const { where, order } = source;
  const event =
    form === 'json'
      ? eventJson(storeId, quoted(streamName ?? nameOf(schema)))
      : eventFields(streamName === undefined ? quoted(nameOf(schema)) : 'NULL');
  // The lengths of long texts are known without reading them.
  return `SELECT p.* FROM (SELECT sum(${SIZE}) AS bytes FROM ${schema}.events e WHERE ${where}) b CROSS JOIN LATERAL (
      SELECT count(*) AS count, min(p.position) AS first_position, max(p.position) AS last_position,
        min(p.version) AS lowest, max(p.version) AS highest, string_agg(p.event, ',') AS events
      FROM (SELECT e.position, e.version, ${event} AS event FROM ${schema}.events e WHERE ${where} ORDER BY ${order}
        LIMIT CASE WHEN b.bytes > ${LIMITS.pageBytes} THEN (${fitting(schema, source)}) END) p
    ) p`;
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

/** Returns a statement that counts the events that fit into a page. */
function fitting(schema: string, { where, order }: EventSource, limit?: number): string {
  return `SELECT count(*) FROM (SELECT w.*, sum(w.size) OVER (ORDER BY w.n) AS total FROM (
      SELECT ${SIZE} AS size, row_number() OVER (ORDER BY ${order}) AS n
      FROM ${schema}.events e WHERE ${where} ORDER BY ${order}${limit === undefined ? '' : ` LIMIT ${limit}`}
    ) w) w WHERE w.total <= ${LIMITS.pageBytes} OR w.n = 1`;
}

function eventJson(storeId: string, quotedName: string): string {
  return `concat('${eventHead(storeId)}"streamId":', ${quotedName}, ',"version":', e.version, ',"position":', e.position,
    ',"id":"', ${ID}, '","type":', ${quoted('e.type')},
    CASE WHEN e.data IS NULL THEN concat(',"dataBase64":"', ${BASE64}, '","contentType":', to_json(e.content_type))
      ELSE concat(',"data":', e.data) END,
    ',"metadata":', e.metadata, ',"tags":', e.tags, ',"epochUs":', e.epoch_us, ',"timestamp":"', ${TIMESTAMP}, '"}')`;
}

/** An event as JSON has it in the form `fields`. */
type EventFields = readonly [
  version: number,
  position: number,
  id: string,
  type: string,
  data: RecordedEvent['data'],
  metadata: RecordedEvent['metadata'],
  tags: RecordedEvent['tags'],
  epochUs: number,
  /** Null in a page of one stream. */
  streamId: string | null,
  contentType?: string,
  base64?: string,
];

function eventFields(quotedName: string): string {
  return `concat('[', e.version, ',', e.position, ',"', ${ID}, '",', ${quoted('e.type')}, ',', coalesce(e.data, 'null'), ',',
    e.metadata, ',', e.tags, ',', e.epoch_us, ',', coalesce(${quotedName}, 'null'),
    CASE WHEN e.data IS NULL THEN concat(',', to_json(e.content_type), ',"', ${BASE64}, '"') END, ']')`;
}

/**
 * Returns the events of a page in the form `fields`.
 *
 * @param pageStreamId the stream of a page of one stream
 */
export function decodeFields(events: string | null, storeId: string, pageStreamId?: string): RecordedEvent[] {
  const rows = JSON.parse(`[${events ?? ''}]`) as EventFields[];
  return rows.map((fields) => {
    const [version, position, id, type, data, metadata, tags, epochUs, name, contentType, base64] = fields;
    const streamId = name ?? (pageStreamId as string);
    const timestamp = isoTimestamp(epochUs);
    // In the order of the JSON of events.
    if (contentType === undefined) {
      return { storeId, streamId, version, position, id, type, data, metadata, tags, epochUs, timestamp };
    }
    const bytes = { dataBase64: base64 ?? '', contentType };
    const recorded = {
      storeId,
      streamId,
      version,
      position,
      id,
      type,
      ...bytes,
      metadata,
      tags,
      epochUs,
      timestamp,
    };
    // The type says that `data` is there, as it is in every event that does not carry bytes.
    return recorded as unknown as RecordedEvent;
  });
}

export function storedEvent(columns: EventColumns): StoredEvent {
  const [position, version, id, type, data, contentType, base64, metadata, tags, epochUs, streamId] = columns;
  const stored = { position, version, id, type, data: data ?? '', metadata, tags, epochUs, streamId };
  return contentType === null ? stored : { ...stored, bytes: { contentType, base64: base64 ?? '' } };
}
