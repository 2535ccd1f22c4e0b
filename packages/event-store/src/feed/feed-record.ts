import type { TraceContext } from '@esdb-gater/primitives';
import type { FedOrigin, JsonValue, OutgoingRecord, RecordedEvent } from '@esdb-gater/types';
import { EventPoint } from '../tail/event-proof.ts';
import { escapePart } from './escape-part.ts';
import type { FeedTopic } from './feed-topic.ts';

/**
 * Returns the record of an event for the channel `events`.
 *
 * @param wentBack true for the first event after the feed has gone back
 * @param trace the trace context of the append
 */
export function feedRecord(
  event: RecordedEvent,
  topic: FeedTopic,
  realm: string,
  wentBack: boolean = false,
  trace?: TraceContext,
): OutgoingRecord {
  const { id, type, storeId, streamId, timestamp } = event;
  return {
    id,
    topic: topic(event),
    message: event as unknown as JsonValue,
    time: timestamp,
    type,
    source: `esdb://${percentEncode(realm)}/stream/${percentEncode(storeId)}/${percentEncode(streamId)}`,
    // Not the topic, so that all events of a stream share a partition, whatever the template makes of them.
    partitionKey: `${escapePart(storeId)}.${escapePart(streamId)}`,
    fed: new EventOrigin(event, wentBack),
    ...trace,
  };
}

class EventOrigin extends EventPoint implements FedOrigin {
  readonly storeId: string;
  readonly wentBack?: true;

  constructor(event: RecordedEvent, wentBack: boolean) {
    super(event);
    this.storeId = event.storeId;
    if (wentBack) this.wentBack = true;
  }
}

/** Encodes all but the unreserved characters of RFC 3986; `encodeURIComponent` leaves five more as they are. */
function percentEncode(name: string): string {
  return encodeURIComponent(name).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
