import type { JsonValue, OutgoingRecord, RecordedEvent } from '@esdb-gater/types';
import { escapePart } from './escape-part.ts';
import type { FeedTopic } from './feed-topic.ts';

/** An event as the record that goes to the channel `events`. */
export function feedRecord(event: RecordedEvent, topic: FeedTopic, realm: string): OutgoingRecord {
  const { id, type, storeId, streamId, position, timestamp } = event;
  return {
    id,
    topic: topic(event),
    message: event as unknown as JsonValue,
    time: timestamp,
    type,
    source: `esdb://${percentEncode(realm)}/stream/${percentEncode(storeId)}/${percentEncode(streamId)}`,
    // Not the topic: all events of a stream share a partition, whatever the template makes of them.
    partitionKey: `${escapePart(storeId)}.${escapePart(streamId)}`,
    fed: { storeId, position },
  };
}

/** All but the unreserved characters of RFC 3986; `encodeURIComponent` leaves five more as they are. */
function percentEncode(name: string): string {
  return encodeURIComponent(name).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
