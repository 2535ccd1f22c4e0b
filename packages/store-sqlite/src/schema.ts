/** `ESDB` in the file's header, so that any tool can identify the database. */
export const APPLICATION_ID = 0x45_53_44_42;

export const SCHEMA_VERSION = 5;

/**
 * The tables, as SQLite keeps them in `sqlite_schema`: an opened file must have exactly these.
 *
 * - A stream has an integer id, since each index entry would repeat its name otherwise. Its version is that of its
 *   newest event and is stored nowhere else, so that an append writes one row.
 * - `hidden_through` is the version of the last event that a delete hid, or -1.
 * - Event ids are unique per stream. They are compared without case, since they are UUIDs, and stored unchanged. The
 *   index begins with the id, because UUIDv7 ids then go to its end.
 * - An event that carries bytes has an empty text as its `data`, and a row in `event_bytes`.
 * - A subscription's `definition` and `checkpoint` are JSON. Its parked events name the events, which stay where they are.
 * - `event_hashes` has rows only while the store is tamper-evident: the chain of each stream, see `chainHash`. Its own key shows that
 *   events at the end of a stream are missing.
 * - `checksum` is the CRC-32 described in `checksum.ts` and, for events, in `event-row.ts`.
 */
export const SCHEMA: ReadonlyMap<string, string> = new Map([
  [
    'meta',
    `CREATE TABLE meta (
  name TEXT PRIMARY KEY,
  value TEXT NOT NULL,
  checksum INTEGER NOT NULL
) STRICT, WITHOUT ROWID`,
  ],
  [
    'streams',
    `CREATE TABLE streams (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  hidden_through INTEGER NOT NULL,
  checksum INTEGER NOT NULL
) STRICT`,
  ],
  [
    'events',
    `CREATE TABLE events (
  position INTEGER PRIMARY KEY,
  stream INTEGER NOT NULL REFERENCES streams (id),
  version INTEGER NOT NULL,
  id TEXT NOT NULL COLLATE NOCASE,
  type TEXT NOT NULL,
  data TEXT NOT NULL,
  metadata TEXT NOT NULL,
  tags TEXT NOT NULL,
  epoch_us INTEGER NOT NULL,
  checksum INTEGER NOT NULL
) STRICT`,
  ],
  ['events_by_stream', 'CREATE UNIQUE INDEX events_by_stream ON events (stream, version)'],
  ['events_by_id', 'CREATE UNIQUE INDEX events_by_id ON events (id, stream)'],
  ['events_by_type', 'CREATE INDEX events_by_type ON events (type)'],
  [
    'event_tags',
    `CREATE TABLE event_tags (
  tag TEXT NOT NULL,
  position INTEGER NOT NULL REFERENCES events (position),
  PRIMARY KEY (tag, position)
) STRICT, WITHOUT ROWID`,
  ],
  [
    'event_bytes',
    `CREATE TABLE event_bytes (
  position INTEGER PRIMARY KEY REFERENCES events (position),
  content_type TEXT NOT NULL,
  bytes BLOB NOT NULL
) STRICT`,
  ],
  [
    'event_hashes',
    `CREATE TABLE event_hashes (
  stream INTEGER NOT NULL REFERENCES streams (id),
  version INTEGER NOT NULL,
  hash TEXT NOT NULL,
  PRIMARY KEY (stream, version)
) STRICT, WITHOUT ROWID`,
  ],
  [
    'snapshots',
    `CREATE TABLE snapshots (
  source_uuid TEXT NOT NULL,
  stream_uuid TEXT NOT NULL,
  version INTEGER NOT NULL,
  record TEXT NOT NULL,
  metadata TEXT NOT NULL,
  epoch_us INTEGER NOT NULL,
  checksum INTEGER NOT NULL,
  UNIQUE (source_uuid, stream_uuid, version)
) STRICT`,
  ],
  [
    'subscriptions',
    `CREATE TABLE subscriptions (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  definition TEXT NOT NULL,
  checkpoint TEXT NOT NULL,
  checksum INTEGER NOT NULL
) STRICT`,
  ],
  [
    'parked_events',
    `CREATE TABLE parked_events (
  subscription INTEGER NOT NULL REFERENCES subscriptions (id),
  replaying INTEGER NOT NULL,
  position INTEGER NOT NULL,
  event_id TEXT NOT NULL COLLATE NOCASE,
  reason TEXT NOT NULL,
  attempts INTEGER NOT NULL,
  parked_ms INTEGER NOT NULL,
  checksum INTEGER NOT NULL,
  PRIMARY KEY (subscription, replaying, position)
) STRICT, WITHOUT ROWID`,
  ],
  [
    'recorded_events',
    `CREATE VIEW recorded_events AS
SELECT events.position AS position, name AS stream_id, version, events.id AS id, type,
  nullif(data, '') AS data, content_type, bytes, metadata, tags, epoch_us,
  strftime('%Y-%m-%dT%H:%M:%S', epoch_us / 1000000, 'unixepoch')
    || printf('.%03dZ', epoch_us / 1000 % 1000) AS timestamp
FROM events JOIN streams ON streams.id = events.stream
  LEFT JOIN event_bytes ON event_bytes.position = events.position`,
  ],
]);
