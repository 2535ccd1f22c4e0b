import { SETTINGS } from './function-settings.ts';

/**
 * `write_singles` is the usual case of `write_batch`: many appends of one event each, to different streams, without conditions and
 * chains. It writes all of them by one statement for each table, which takes half of the time that one statement for each append
 * takes. Returns the answers without their brackets, or NULL when one of them cannot be written: then it has written
 * nothing, and they are looked at one after the other.
 */
export const WRITE_SINGLES: string = `
CREATE OR REPLACE FUNCTION write_singles(
  last_position bigint, at_us bigint, s_name text[], s_expected bigint[],
  e_id uuid[], e_id_text text[], e_type text[], e_data text[], e_content_type text[], e_bytes text[],
  e_metadata text[], e_tags text[], e_tag_from integer[], e_tag_count integer[], t_tag text[]
) RETURNS text LANGUAGE plpgsql VOLATILE ${SETTINGS} AS $body$
DECLARE
  ids bigint[];
  vers bigint[];
  fit boolean;
BEGIN
  -- The limits keep each look-up a look-up: nothing may turn them into a join that reads a whole table.
  SELECT array_agg(x.id ORDER BY w.o), array_agg(coalesce(v.version, -1) ORDER BY w.o),
    -- Without a stream the comparisons are NULL, which bool_and would leave out.
    bool_and(k.known IS NULL AND coalesce(
      w.expected = -2 OR w.expected = coalesce(v.version, -1)
        OR (w.expected = -1 AND v.version = x.hidden_through)
        OR (w.expected = -4 AND v.version > x.hidden_through), false))
    INTO ids, vers, fit
    FROM unnest(s_name, s_expected, e_id) WITH ORDINALITY AS w (name, expected, event, o)
    LEFT JOIN LATERAL (SELECT st.id, st.hidden_through FROM streams st WHERE st.name = w.name LIMIT 1) x ON true
    LEFT JOIN LATERAL (
      SELECT ev.version FROM events ev WHERE ev.stream = x.id ORDER BY ev.version DESC LIMIT 1
    ) v ON true
    LEFT JOIN LATERAL (
      SELECT true AS known FROM events ev WHERE ev.id = w.event AND ev.stream + 0 = x.id LIMIT 1
    ) k ON true;
  IF fit IS NOT TRUE THEN RETURN NULL; END IF;
  IF array_position(ids, NULL) IS NOT NULL THEN
    WITH made AS (
      INSERT INTO streams (name) SELECT w.name FROM unnest(s_name, ids) AS w (name, sid) WHERE w.sid IS NULL
      RETURNING streams.id, streams.name
    )
    SELECT array_agg(coalesce(w.sid, m.id) ORDER BY w.o) INTO ids
      FROM unnest(s_name, ids) WITH ORDINALITY AS w (name, sid, o) LEFT JOIN made m ON m.name = w.name;
  END IF;
  INSERT INTO events (position, stream, version, id, id_text, type, data, content_type, bytes, metadata, tags, epoch_us)
    SELECT last_position + w.o, w.sid, w.ver + 1, w.event, w.id_text, w.type, w.data, w.content_type,
      decode(w.bytes, 'base64'), w.metadata, w.tags, at_us
    FROM unnest(ids, vers, e_id, e_id_text, e_type, e_data, e_content_type, e_bytes, e_metadata, e_tags)
      WITH ORDINALITY AS w (sid, ver, event, id_text, type, data, content_type, bytes, metadata, tags, o);
  IF cardinality(t_tag) > 0 THEN
    INSERT INTO event_tags (tag, position)
      SELECT t_tag[n], last_position + w.o
      FROM unnest(e_tag_from, e_tag_count) WITH ORDINALITY AS w (first, count, o)
        CROSS JOIN LATERAL generate_series(w.first + 1, w.first + w.count) n;
  END IF;
  RETURN (SELECT string_agg(format('["w",[[%s,%s]]]', w.ver + 1, last_position + w.o), ',' ORDER BY w.o)
    FROM unnest(vers) WITH ORDINALITY AS w (ver, o));
END $body$;
`;
