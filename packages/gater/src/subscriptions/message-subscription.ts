import type { TraceContext } from '@esdb-gater/primitives';
import type { ChannelMessage, ChannelName, JsonValue } from '@esdb-gater/types';

/** A message of a channel whose content is typed by the program. */
export interface ReceivedMessage<Message = JsonValue> extends Omit<ChannelMessage, 'message'> {
  readonly message: Message;
  /**
   * The W3C trace context of the delivery. Pass it with `tracestate` in the options of a call, and the call continues the
   * trace of the message. Absent when the message has no trace, and when it is replayed.
   */
  readonly traceparent?: string;
  readonly tracestate?: string;
}

/** Returns a message with the trace context of its delivery. */
export function tracedMessage(message: ChannelMessage, trace: TraceContext | undefined): ChannelMessage {
  return trace?.traceparent === undefined ? message : { ...message, ...trace };
}

/**
 * Messages of one topic or pattern, in the order of arrival.
 *
 * It has one reader. Leaving a loop does not end the subscription, so the next loop continues where the last one
 * stopped. `unsubscribe()`, or leaving the scope of an `await using`, ends it.
 *
 * It survives lost connections: it resumes from the last position, without loss or duplicate as long as the gateway
 * still holds that position. When the position has expired, it continues from the oldest message and calls `onLost`,
 * or ends, as `whenLost` says.
 */
export interface MessageSubscription<Message = JsonValue>
  extends AsyncIterable<ReceivedMessage<Message>>,
    AsyncDisposable {
  readonly channel: ChannelName;
  readonly topic: string;
  /** The position of the last message that was read, or where reading starts. Pass it as `from` to resume after it. */
  readonly position: string;
  /** True when messages were lost; `onLost` was called with the details. */
  readonly lost: boolean;
  /** How many messages are buffered. */
  readonly waiting: number;
  /** Ends the iteration after the buffered messages. `removed` is false when it had ended before. */
  unsubscribe(): Promise<{ readonly removed: boolean }>;
}
