import { SETTINGS } from './function-settings.ts';
import { WRITE_SINGLES } from './write-singles.ts';

/**
 * `item_match` finds the first event at or after a position that has one of the types and all of the tags. Each list in turn skips to
 * where the last one was found, so the rarest decides how many look-ups it takes. Without `found` the search paused, and
 * there is no match before the position; without a position there is none.
 */
const ITEM_MATCH = `
CREATE OR REPLACE FUNCTION item_match(
  types text[], tags text[], from_position bigint, newest bigint,
  INOUT lookups integer, OUT match bigint, OUT found_it boolean
) LANGUAGE plpgsql STABLE ${SETTINGS} AS $body$
DECLARE
  candidate bigint := from_position;
  hit bigint;
  name text;
  moved boolean;
  lists integer := cardinality(tags) + least(cardinality(types), 1);
BEGIN
  found_it := false;
  LOOP
    moved := false;
    FOREACH name IN ARRAY tags LOOP
      SELECT t.position INTO hit FROM event_tags t
        WHERE t.tag = name AND t.position >= candidate ORDER BY t.position LIMIT 1;
      lookups := lookups - 1;
      IF hit IS NULL OR hit > newest THEN RETURN; END IF;
      IF hit > candidate THEN candidate := hit; moved := true; END IF;
    END LOOP;
    IF cardinality(types) > 0 THEN
      SELECT min(f.position) INTO hit FROM unnest(types) AS wanted (type) CROSS JOIN LATERAL (
        SELECT e.position FROM events e
          WHERE e.type = wanted.type AND e.position >= candidate ORDER BY e.position LIMIT 1
      ) f;
      lookups := lookups - cardinality(types);
      IF hit IS NULL OR hit > newest THEN RETURN; END IF;
      IF hit > candidate THEN candidate := hit; moved := true; END IF;
    END IF;
    IF lists = 1 OR NOT moved THEN
      match := candidate;
      found_it := true;
      RETURN;
    END IF;
    IF lookups <= 0 THEN
      match := candidate;
      RETURN;
    END IF;
  END LOOP;
END $body$;
`;

/**
 * `find_matches` returns up to `wanted` positions after `after` of events that match a query, and how far it searched: all up to
 * `reached` was looked at. `state`: `full`, `end`, or `paused` when it took long.
 */
const FIND_MATCHES = `
CREATE OR REPLACE FUNCTION find_matches(
  items jsonb, after bigint, newest bigint, wanted integer, lookups integer,
  OUT positions bigint[], OUT reached bigint, OUT state text
) LANGUAGE plpgsql STABLE ${SETTINGS} AS $body$
DECLARE
  item jsonb;
  all_types text[] := '{}';
  all_tags text[] := '{}';
  types_to integer[] := '{}';
  tags_to integer[] := '{}';
  nexts bigint[] := '{}';
  founds boolean[] := '{}';
  count integer := 0;
  lowest bigint;
  lowest_found boolean;
  due bigint := after + 1;
  hit record;
  n integer;
BEGIN
  positions := '{}';
  FOR item IN SELECT * FROM jsonb_array_elements(items) LOOP
    count := count + 1;
    all_types := all_types || ARRAY(SELECT DISTINCT jsonb_array_elements_text(item -> 'types'));
    all_tags := all_tags || ARRAY(SELECT DISTINCT jsonb_array_elements_text(item -> 'tags'));
    types_to[count] := cardinality(all_types);
    tags_to[count] := cardinality(all_tags);
    nexts[count] := 0;
    founds[count] := true;
  END LOOP;
  IF count = 1 AND cardinality(all_types) + cardinality(all_tags) = 1 THEN
    IF cardinality(all_tags) = 1 THEN
      positions := ARRAY(SELECT t.position FROM event_tags t
        WHERE t.tag = all_tags[1] AND t.position > after AND t.position <= newest ORDER BY t.position LIMIT wanted);
    ELSE
      positions := ARRAY(SELECT e.position FROM events e
        WHERE e.type = all_types[1] AND e.position > after AND e.position <= newest ORDER BY e.position LIMIT wanted);
    END IF;
    state := CASE WHEN cardinality(positions) = wanted THEN 'full' ELSE 'end' END;
    reached := CASE state WHEN 'full' THEN positions[wanted] ELSE newest END;
    RETURN;
  END IF;
  LOOP
    lowest := NULL;
    FOR n IN 1 .. count LOOP
      IF nexts[n] < due THEN
        hit := item_match(
          all_types[coalesce(types_to[n - 1], 0) + 1 : types_to[n]],
          all_tags[coalesce(tags_to[n - 1], 0) + 1 : tags_to[n]], due, newest, lookups);
        lookups := hit.lookups;
        nexts[n] := hit.match;
        founds[n] := hit.found_it;
      END IF;
      -- At equal positions a match counts more than a pause, which says only that there is none before.
      IF nexts[n] < lowest OR lowest IS NULL OR (nexts[n] = lowest AND founds[n]) THEN
        IF nexts[n] IS NOT NULL THEN
          lowest := nexts[n];
          lowest_found := founds[n];
        END IF;
      END IF;
    END LOOP;
    IF lowest IS NULL THEN
      state := 'end';
      reached := newest;
      RETURN;
    END IF;
    IF NOT lowest_found THEN
      state := 'paused';
      reached := lowest - 1;
      RETURN;
    END IF;
    positions := positions || lowest;
    IF cardinality(positions) = wanted THEN
      state := 'full';
      reached := lowest;
      RETURN;
    END IF;
    due := lowest + 1;
  END LOOP;
END $body$;
`;

/**
 * `condition_match` checks the condition of an append: the position of the first match, 0 when there is none, and NULL when that
 * takes too long while all others wait.
 */
const CONDITION_MATCH = `
CREATE OR REPLACE FUNCTION condition_match(items jsonb, after bigint, newest bigint, names integer, forced boolean)
RETURNS bigint LANGUAGE plpgsql STABLE ${SETTINGS} AS $body$
DECLARE
  hit record;
BEGIN
  IF after >= newest THEN RETURN 0; END IF;
  IF newest - after <= least(names, 50) THEN
    RETURN coalesce((
      SELECT min(e.position) FROM events e CROSS JOIN jsonb_array_elements(items) AS i (item)
      WHERE e.position > after AND e.position <= newest
        AND (coalesce(jsonb_array_length(item -> 'types'), 0) = 0 OR item -> 'types' ? e.type)
        AND (coalesce(jsonb_array_length(item -> 'tags'), 0) = 0 OR e.tags::jsonb @> (item -> 'tags'))
    ), 0);
  END IF;
  IF names > 200 AND NOT forced THEN RETURN NULL; END IF;
  hit := find_matches(items, after, newest, 1, CASE WHEN forced THEN 2000000000 ELSE 500 END);
  IF hit.state = 'full' THEN RETURN hit.positions[1]; END IF;
  IF hit.state = 'end' THEN RETURN 0; END IF;
  RETURN NULL;
END $body$;
`;

/** `version_at` returns the version of the last event of a stream up to a time, or -1: times never decrease, so few are looked at. */
const VERSION_AT = `
CREATE OR REPLACE FUNCTION version_at(stream_id bigint, newest bigint, until_us bigint)
RETURNS bigint LANGUAGE plpgsql STABLE ${SETTINGS} AS $body$
DECLARE
  low bigint := -1;
  high bigint := newest;
  middle bigint;
BEGIN
  WHILE low < high LOOP
    middle := low + (high - low + 1) / 2;
    IF (SELECT e.epoch_us FROM events e WHERE e.stream = stream_id AND e.version = middle) <= until_us THEN
      low := middle;
    ELSE
      high := middle - 1;
    END IF;
  END LOOP;
  RETURN low;
END $body$;
`;

/**
 * `write_batch` performs every append and delete that waits, each for itself, in one transaction. A request has parts, one for
 * each stream; a part has events, or none and only checks the version, or is a delete (-1 events).
 *
 * Returns JSON, an array for each request: `["w", [[version, position], ...]]` written, by parts; `["c", position]` its condition
 * failed; `["u"]` its condition takes too long; `["t"]` the clock is implausible; `["k", [[version, hidden], ...], [event, ...]]` not
 * written because of the state of its streams or of the events that are already there, from which the caller finds the
 * reason.
 */
const WRITE_BATCH = `
CREATE OR REPLACE FUNCTION write_batch(
  now_us bigint, tamper_evident boolean,
  r_parts integer[], r_items text[], r_after bigint[], r_names integer[],
  s_name text[], s_expected bigint[], s_count integer[],
  e_id uuid[], e_id_text text[], e_type text[], e_data text[], e_content_type text[], e_bytes text[],
  e_metadata text[], e_tags text[], e_tag_from integer[], e_tag_count integer[], t_tag text[],
  h_data text[], h_id text[], h_stream text[], h_type text[], e_epoch_us bigint[],
  must_follow bigint
) RETURNS text LANGUAGE plpgsql VOLATILE ${SETTINGS} AS $body$
DECLARE
  answers text[] := '{}';
  last_position bigint;
  last_epoch_us bigint;
  first_position bigint;
  chain bigint;
  seen_again boolean := false;
  changed boolean := false;
  r integer;
  s integer;
  s_to integer := 0;
  e integer;
  e_to integer := 0;
  s_from integer;
  n integer;
  i integer;
  k integer;
  sid bigint;
  hidden bigint;
  ver bigint;
  ids bigint[];
  vers bigint[];
  hiddens bigint[];
  allowed boolean;
  known boolean;
  hit_known boolean;
  has_events boolean;
  hit bigint;
  epoch bigint;
  parts text;
  hash_text text;
BEGIN
  PERFORM pg_advisory_xact_lock(1163084866, 'events'::regclass::oid::integer);
  SELECT chain_start INTO chain FROM store;
  IF (chain IS NOT NULL) <> tamper_evident THEN
    RAISE EXCEPTION USING ERRCODE = 'EG001', MESSAGE = 'the hash chain was begun or ended by another node';
  END IF;
  SELECT x.position, x.epoch_us INTO last_position, last_epoch_us FROM events x ORDER BY x.position DESC LIMIT 1;
  last_position := coalesce(last_position, 0);
  last_epoch_us := coalesce(last_epoch_us, 0);
  first_position := last_position;
  IF must_follow <> last_position THEN
    RAISE EXCEPTION USING ERRCODE = 'EG002', MESSAGE = format('the newest position must be %s, got %s', must_follow, last_position);
  END IF;
  IF cardinality(r_parts) > 1 AND chain IS NULL AND now_us IS NOT NULL AND e_epoch_us IS NULL
    AND 1 = ALL (r_parts) AND 1 = ALL (s_count) AND array_remove(r_items, NULL) = '{}'
    AND (SELECT count(DISTINCT x) = count(*) FROM unnest(s_name) x)
  THEN
    parts := write_singles(last_position, greatest(last_epoch_us, now_us), s_name, s_expected, e_id, e_id_text, e_type, e_data,
      e_content_type, e_bytes, e_metadata, e_tags, e_tag_from, e_tag_count, t_tag);
    IF parts IS NOT NULL THEN
      PERFORM pg_notify('esdb_gater_' || 'events'::regclass::oid, (last_position + cardinality(r_parts))::text);
      RETURN '[' || parts || ']';
    END IF;
  END IF;
  FOR r IN 1 .. cardinality(r_parts) LOOP
    s_from := s_to + 1;
    s_to := s_to + r_parts[r];
    ids := '{}'; vers := '{}'; hiddens := '{}';
    allowed := true;
    known := false;
    has_events := false;
    e := e_to;
    FOR s IN s_from .. s_to LOOP
      n := s_count[s];
      k := s - s_from + 1;
      SELECT x.id, x.hidden_through, coalesce((SELECT max(v.version) FROM events v WHERE v.stream = x.id), -1),
        n > 0 AND EXISTS (SELECT 1 FROM events v WHERE v.id = ANY (e_id[e + 1 : e + n]) AND v.stream + 0 = x.id)
        INTO sid, hidden, ver, hit_known FROM streams x WHERE x.name = s_name[s];
      IF sid IS NULL THEN
        ver := -1;
        hidden := -1;
      ELSIF hit_known THEN
        known := true;
      END IF;
      ids[k] := sid; vers[k] := ver; hiddens[k] := hidden;
      IF n < 0 THEN
        allowed := allowed AND ver >= 0 AND ver > hidden AND (s_expected[s] IN (-2, -4) OR s_expected[s] = ver);
      ELSE
        allowed := allowed AND (s_expected[s] = -2 OR s_expected[s] = ver
          OR (s_expected[s] = -1 AND ver >= 0 AND ver = hidden) OR (s_expected[s] = -4 AND ver > hidden));
        has_events := has_events OR n > 0;
        e := e + n;
      END IF;
    END LOOP;
    IF known OR NOT allowed THEN
      seen_again := seen_again OR known;
      answers := answers || format('["k",%s,%s]',
        (SELECT json_agg(json_build_array(vers[x], hiddens[x])) FROM generate_series(1, s_to - s_from + 1) x),
        CASE WHEN known THEN (
          SELECT json_agg(json_build_array(x.id, array_position(ids, x.stream) - 1, x.version, x.position, x.type, x.data,
            x.content_type, replace(encode(x.bytes, 'base64'), E'\\n', ''), x.metadata, x.tags))
          FROM events x WHERE x.id = ANY (e_id[e_to + 1 : e]) AND x.stream + 0 = ANY (ids)
        ) ELSE '[]' END);
      e_to := e;
      CONTINUE;
    END IF;
    IF r_items[r] IS NOT NULL THEN
      hit := condition_match(r_items[r]::jsonb, r_after[r], last_position, abs(r_names[r]), r_names[r] < 0);
      IF hit IS NULL OR hit > 0 THEN
        answers := answers || CASE WHEN hit IS NULL THEN '["u"]' ELSE format('["c",%s]', hit) END;
        e_to := e;
        CONTINUE;
      END IF;
    END IF;
    IF has_events AND now_us IS NULL THEN
      answers := answers || '["t"]'::text;
      e_to := e;
      CONTINUE;
    END IF;
    e := e_to;
    parts := '';
    FOR s IN s_from .. s_to LOOP
      n := s_count[s];
      k := s - s_from + 1;
      sid := ids[k];
      ver := vers[k];
      IF n < 0 THEN
        UPDATE streams SET hidden_through = ver WHERE id = sid;
        changed := true;
      ELSIF n > 0 THEN
        IF sid IS NULL THEN
          INSERT INTO streams (name) VALUES (s_name[s]) RETURNING id INTO sid;
        END IF;
        epoch := greatest(last_epoch_us, now_us);
        IF n = 1 THEN
          -- The usual case, at half the cost of the general one.
          INSERT INTO events (position, stream, version, id, id_text, type, data, content_type, bytes, metadata, tags, epoch_us)
          VALUES (last_position + 1, sid, ver + 1, e_id[e + 1], e_id_text[e + 1], e_type[e + 1], e_data[e + 1],
            e_content_type[e + 1], decode(e_bytes[e + 1], 'base64'), e_metadata[e + 1], e_tags[e + 1],
            coalesce(e_epoch_us[e + 1], epoch));
        ELSE
          INSERT INTO events (position, stream, version, id, id_text, type, data, content_type, bytes, metadata, tags, epoch_us)
          SELECT last_position + x, sid, ver + x, e_id[e + x], e_id_text[e + x], e_type[e + x], e_data[e + x],
            e_content_type[e + x], decode(e_bytes[e + x], 'base64'), e_metadata[e + x], e_tags[e + x],
            coalesce(e_epoch_us[e + x], epoch)
          FROM generate_series(1, n) x;
        END IF;
        FOR i IN 1 .. n LOOP
          IF e_tag_count[e + i] > 0 THEN
            INSERT INTO event_tags (tag, position)
              SELECT t_tag[x], last_position + i
              FROM generate_series(e_tag_from[e + i] + 1, e_tag_from[e + i] + e_tag_count[e + i]) x;
          END IF;
        END LOOP;
        IF chain IS NOT NULL THEN
          SELECT x.hash INTO hash_text FROM event_hashes x WHERE x.stream = sid AND x.version = ver;
          hash_text := coalesce(hash_text, repeat('0', 64));
          FOR i IN 1 .. n LOOP
            epoch := coalesce(e_epoch_us[e + i], epoch);
            hash_text := encode(sha256(convert_to(concat(E'esdb-gater-chain/1\\n', hash_text, E'\\n',
              h_data[e + i], epoch, h_id[e + i], last_position + i, h_stream[e + i],
              to_char(timestamp '1970-01-01' + (epoch / 1000) * interval '1 millisecond', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
              h_type[e + i], ver + i, '}'), 'UTF8')), 'hex');
            INSERT INTO event_hashes (stream, version, hash) VALUES (sid, ver + i, hash_text);
          END LOOP;
        END IF;
        last_epoch_us := coalesce(e_epoch_us[e + n], epoch);
        last_position := last_position + n;
        ver := ver + n;
        e := e + n;
      END IF;
      parts := parts || format(',[%s,%s]', ver, CASE WHEN n > 0 THEN last_position ELSE 0 END);
    END LOOP;
    answers := answers || format('["w",[%s]]', substr(parts, 2));
    e_to := e;
  END LOOP;
  IF last_position > first_position THEN
    PERFORM pg_notify('esdb_gater_' || 'events'::regclass::oid, last_position::text);
  ELSIF seen_again AND NOT changed THEN
    -- Events that are there may not have reached a standby yet: their first commit was cut off. With something written, the
    -- commit of this answer waits for the standbys as well.
    PERFORM pg_logical_emit_message(true, 'esdb_gater', '');
  END IF;
  RETURN '[' || array_to_string(answers, ',') || ']';
END $body$;
`;

export const FUNCTIONS: string = [
  ITEM_MATCH,
  FIND_MATCHES,
  CONDITION_MATCH,
  VERSION_AT,
  WRITE_SINGLES,
  WRITE_BATCH,
].join('');
