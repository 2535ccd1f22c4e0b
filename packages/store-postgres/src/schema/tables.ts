/**
 * The tables of a store, one schema for each store.
 *
 * - Nothing in `events`, `event_tags` and `event_hashes` is ever changed or deleted, so a long transaction of somebody else
 *   leaves no dead rows behind that appends would have to step over.
 * - Positions are given under an advisory lock that is held until the commit is visible: whoever reads a position has every
 *   one below it. The newest position is that of the newest event, and is stored nowhere else.
 * - A stream has an integer id, since each index entry would repeat its name otherwise. Its version is that of its newest event.
 * - `hidden_through` is the version of the last event that a delete hid, or -1.
 * - JSON is `text`, because `jsonb` changes numbers and the order of members, and refuses an escaped NUL.
 * - `id` is the event id; `id_text` is set only when it was not given in lower case.
 * - An event carries either `data`, or `bytes` with their `content_type`.
 * - `events_by_id` has the stream as an expression, so that no plan looks an id up by the other index, through all events of
 *   the stream.
 * - Names are in the order of their UTF-8 bytes (collation `C`).
 */
export const TABLES = `
CREATE TABLE store (
  single boolean PRIMARY KEY DEFAULT true CHECK (single),
  store_uuid uuid NOT NULL,
  schema_version integer NOT NULL,
  chain_start bigint
);

CREATE TABLE streams (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name text COLLATE "C" NOT NULL UNIQUE,
  hidden_through bigint NOT NULL DEFAULT -1
);

CREATE TABLE events (
  position bigint PRIMARY KEY,
  stream bigint NOT NULL,
  version bigint NOT NULL,
  id uuid NOT NULL,
  id_text text,
  type text COLLATE "C" NOT NULL,
  data text,
  content_type text,
  bytes bytea,
  metadata text NOT NULL,
  tags text NOT NULL,
  epoch_us bigint NOT NULL
);
CREATE UNIQUE INDEX events_by_stream ON events (stream, version);
CREATE UNIQUE INDEX events_by_id ON events (id, (stream + 0));
CREATE INDEX events_by_type ON events (type, position);

CREATE TABLE event_tags (
  tag text COLLATE "C" NOT NULL,
  position bigint NOT NULL,
  PRIMARY KEY (tag, position)
);

CREATE TABLE event_hashes (
  stream bigint NOT NULL,
  version bigint NOT NULL,
  hash text NOT NULL,
  PRIMARY KEY (stream, version)
);

CREATE TABLE snapshots (
  source_uuid text COLLATE "C" NOT NULL,
  stream_uuid text COLLATE "C" NOT NULL,
  version bigint NOT NULL,
  record text NOT NULL,
  metadata text NOT NULL,
  epoch_us bigint NOT NULL,
  PRIMARY KEY (source_uuid, stream_uuid, version)
);

CREATE TABLE feed_checkpoint (
  single boolean PRIMARY KEY DEFAULT true CHECK (single),
  turn bigint NOT NULL,
  position bigint NOT NULL,
  checkpoint text NOT NULL
);

CREATE TABLE subscriptions (
  name text COLLATE "C" PRIMARY KEY,
  definition text NOT NULL,
  turn bigint NOT NULL,
  position bigint NOT NULL,
  checkpoint text NOT NULL
);

CREATE TABLE parked_events (
  subscription text COLLATE "C" NOT NULL REFERENCES subscriptions (name) ON DELETE CASCADE,
  replaying boolean NOT NULL,
  position bigint NOT NULL,
  event_id text NOT NULL,
  reason text NOT NULL,
  attempts integer NOT NULL,
  parked_ms bigint NOT NULL,
  PRIMARY KEY (subscription, position)
);
CREATE INDEX parked_events_by_replay ON parked_events (subscription, replaying, position);

CREATE VIEW recorded_events AS
SELECT events.position, streams.name AS stream_id, events.version, coalesce(id_text, events.id::text) AS id, type,
  data, content_type, bytes, metadata, tags, epoch_us,
  timestamp '1970-01-01' + (epoch_us / 1000) * interval '1 millisecond' AS utc
FROM events JOIN streams ON streams.id = events.stream;
`;
