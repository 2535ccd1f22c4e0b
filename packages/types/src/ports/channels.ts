import type { ChannelName, ChannelPriority } from '../channel-names.ts';
import type { JsonValue } from '../json.ts';

export interface PublishParams {
  readonly channel: ChannelName;
  readonly topic: string;
  readonly message: JsonValue;
  /** A repeated id is recognised for five minutes, and answered as before. */
  readonly id?: string;
}

export interface PublishContext {
  /** The publisher for the rate limit: the token's audience, else the remote address. @default the process */
  readonly publisher?: string;
  readonly signal?: AbortSignal;
  readonly traceparent?: string;
  readonly tracestate?: string;
}

export interface PublishResult {
  readonly id: string;
  readonly position?: string;
  /** True when the broker has accepted the message; false on a disabled channel. */
  readonly delivered: boolean;
}

/** Where a subscription starts: `latest` (new messages only) or a replay. */
export type SubscribeFrom = 'latest' | 'earliest' | { readonly position: string } | { readonly time: string };

export interface SubscribeParams {
  readonly channel: ChannelName;
  /** Segments joined by dots; `*` is one segment, a last `>` one or more. */
  readonly topic: string;
  /** @default 'latest' */
  readonly from?: SubscribeFrom;
}

export interface SubscribeResult {
  /** From where the subscription goes on. */
  readonly position: string;
  /** True when some of the messages that should follow have expired. */
  readonly lost?: boolean;
}

/** The parameters of the notification `message`. */
export interface ChannelMessage {
  readonly channel: ChannelName;
  readonly topic: string;
  readonly id: string;
  /** ISO 8601 with milliseconds and `Z`. */
  readonly time: string;
  readonly position: string;
  readonly message: JsonValue;
  /** Only on a replayed message: the topic of the subscription that replays it. */
  readonly replayFor?: string;
}

export interface ReplayedNotice {
  readonly channel: ChannelName;
  readonly topic: string;
  readonly position: string;
}

export interface DroppedNotice {
  readonly channel: ChannelName;
  readonly count: number;
  readonly position: string;
}

/** The W3C trace context of the delivery of a message. */
export interface DeliveryTrace {
  readonly traceparent: string;
  readonly tracestate?: string;
}

export type Notice =
  | {
      readonly method: 'message';
      readonly params: ChannelMessage;
      /** The message of the parameters as JSON, where it has been encoded already. */
      readonly messageText?: string;
      /** Stands beside the parameters, not in them. Absent for a replayed message, and for one without a trace. */
      readonly trace?: DeliveryTrace;
    }
  | { readonly method: 'replayed'; readonly params: ReplayedNotice }
  | { readonly method: 'dropped'; readonly params: DroppedNotice };

/** Encodes a notice for one type of connection: as a WebSocket frame, or as a server-sent event. */
export interface NoticeEncoder {
  encode(notice: Notice): Uint8Array;
}

/**
 * One notice for many receivers. `bytes` are made once per encoder, and shared by all connections with the same encoder
 * object; they must not be changed.
 */
export interface Delivery {
  readonly notice: Notice;
  readonly priority: ChannelPriority;
  bytes(encoder: NoticeEncoder): Uint8Array;
}

/** The receiving end of a connection. */
export interface DeliverySink {
  /** Encodes notices; without it a delivery counts as one message without bytes. */
  readonly encoder?: NoticeEncoder;
  /** Writes deliveries at once, in order and together. The array must not be kept or changed. */
  write(deliveries: readonly Delivery[]): void;
  /** Returns how many written bytes the transport has not sent yet; 0 when that is not known. */
  bufferedBytes(): number;
  /**
   * Called once when the queue is full of messages that must not be dropped: close with 4008. Nothing is written after
   * it.
   */
  overflow(): void;
}

export interface SubscriberOptions {
  readonly sink: DeliverySink;
  /** @default 4 MiB, written and waiting together */
  readonly queueBytes?: number;
  /** @default 10 000 */
  readonly queueMessages?: number;
}

/** The subscriptions of one connection, and its bounded queue. */
export interface ChannelSubscriber {
  /**
   * Adds a subscription, in place of an earlier one with the same channel and topic. Replayed messages follow after the
   * promise has resolved, then the notice `replayed`.
   *
   * @throws `unknown_channel`, `invalid_argument` (reasons `topic`, `position_malformed`, `position_lost`)
   */
  subscribe(params: SubscribeParams, options?: { readonly signal?: AbortSignal }): Promise<SubscribeResult>;
  unsubscribe(params: { readonly channel: ChannelName; readonly topic: string }): {
    readonly removed: boolean;
  };
  /** Call it when the transport has room again. */
  drained(): void;
  /** Ends all subscriptions and drops the queue. */
  close(): void;
}

export interface ChannelInfo {
  readonly name: ChannelName;
  readonly priority: ChannelPriority;
  /** Messages per second; unlimited when absent. */
  readonly maxRate?: number;
  readonly requireSignature: boolean;
  readonly history: number;
  readonly enabled: boolean;
  readonly subscribers: number;
  readonly publishedPerSecond: number;
  readonly deliveredPerSecond: number;
  readonly dropped: number;
}

/** The ten channels. */
export interface Channels {
  /**
   * Validates, limits, checks the signature and hands the message to the broker, in this order.
   *
   * @throws `unknown_channel`, `invalid_argument`, `payload_too_large`, `rate_limited` (with `retryAfterMs`),
   * `signature_required`, `invalid_signature`, `unavailable`, `overloaded`
   */
  publish(params: PublishParams, context?: PublishContext): Promise<PublishResult>;
  /** Opens the receiving end of one connection. */
  connect(options: SubscriberOptions): ChannelSubscriber;
  channelInfo(): readonly ChannelInfo[];
  /** Ends every subscriber. Does not close a broker that was passed in. */
  close(): Promise<void>;
}
