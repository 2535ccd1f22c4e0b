import type { EncodedEvent } from '@esdb-gater/event-store';

const FIELDS = 5;

/**
 * Flattens events to strings, five for each, because strings cross threads cheaper than objects. An event that carries
 * bytes has no data, and two more strings.
 */
export function packEvents(events: readonly EncodedEvent[]): string[] {
  const fields: string[] = [];
  for (const { id, type, data, bytes, metadata, tags } of events) {
    fields.push(id, type, data, metadata, tags);
    if (bytes !== undefined) fields.push(bytes.contentType, bytes.base64);
  }
  return fields;
}

export function unpackEvents(fields: readonly string[]): EncodedEvent[] {
  const events: EncodedEvent[] = [];
  for (let at = 0; at < fields.length; at += FIELDS) {
    const [id, type, data, metadata, tags] = fields.slice(at, at + FIELDS) as [
      string,
      string,
      string,
      string,
      string,
    ];
    const tagList = tags === '[]' ? [] : (JSON.parse(tags) as string[]);
    const event = { id, type, data, metadata, tags, tagList };
    if (data !== '') {
      events.push(event);
      continue;
    }
    const [contentType, base64] = fields.slice(at + FIELDS, at + FIELDS + 2) as [string, string];
    events.push({ ...event, bytes: { contentType, base64 } });
    at += 2;
  }
  return events;
}
