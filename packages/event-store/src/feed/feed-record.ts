import { GenerationMap, type TraceContext } from '@esdb-gater/primitives';
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

/** How many names are kept with their encoding: a feed publishes many events of one stream. */
const ENCODED_NAMES = 512;

const encodedNames = new GenerationMap<string, string>(ENCODED_NAMES);

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
  const known = encodedNames.get(name);
  if (known !== undefined) return known;
  const encoded = encodeAll(name);
  encodedNames.set(name, encoded);
  return encoded;
}

function encodeAll(name: string): string {
  return encodeURIComponent(name).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
