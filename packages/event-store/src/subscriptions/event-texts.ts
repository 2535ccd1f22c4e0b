import type { RecordedEvent } from '@esdb-gater/types';
import type { WindowEvent } from './stream-queue.ts';

/** The memory that an event needs besides its text. */
const EVENT_BYTES = 256;

/** The texts of events that several subscriptions share, as long as somebody has the event. */
const texts = new WeakMap<RecordedEvent, string>();

/** Returns an event as the window keeps it. */
export function windowEvent(event: RecordedEvent): WindowEvent {
  let text = texts.get(event);
  if (text === undefined) {
    text = JSON.stringify(event);
    texts.set(event, text);
  }
  const { position, streamId, version, id: eventId } = event;
  return { position, streamId, version, eventId, text, bytes: text.length + EVENT_BYTES };
}
