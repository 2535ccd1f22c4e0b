import type { EncodedEvent } from '@esdb-gater/event-store';

const FIELDS = 5;

/** Flattens events to strings, five for each, because strings cross threads cheaper than objects. */
export function packEvents(events: readonly EncodedEvent[]): string[] {
  const fields: string[] = [];
  for (const { id, type, data, metadata, tags } of events) fields.push(id, type, data, metadata, tags);
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
    events.push({
      id,
      type,
      data,
      metadata,
      tags,
      tagList: tags === '[]' ? [] : (JSON.parse(tags) as string[]),
    });
  }
  return events;
}
