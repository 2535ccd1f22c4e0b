import {
  CHANNEL_NAMES,
  type ChannelMessage,
  type DroppedNotice,
  type RecordedEvent,
  type ReplayedNotice,
  type SubscriptionEvent,
} from '@esdb-gater/types';
import { recordedEvent } from './leaf-schemas.ts';
import { anyText, array, integer, json, object, oneOf, optional, type Schema } from './schema-kit.ts';

export type CapabilityMode = 'disabled' | 'optional' | 'required';

/** The first message of a gateway. */
export interface Hello {
  readonly gatewayDid: string;
  readonly nodeId: string;
  readonly version: string;
  /** Fresh for each connection; what a proof is made over. */
  readonly nonce: string;
  readonly capabilities: CapabilityMode;
  /** The methods that this gateway serves. */
  readonly methods: readonly string[];
  /** What the gateway accepts. Gateways before 0.2 do not send it. */
  readonly limits?: HelloLimits;
}

/** The limits that a gateway tells in `hello`. */
export interface HelloLimits {
  /** Maximum size of a frame. */
  readonly frameBytes: number;
  /** Maximum size of an event or a message. */
  readonly messageBytes: number;
  /** Maximum unanswered calls of a connection. */
  readonly inFlight: number;
  /** Maximum requests of a batch. */
  readonly batch: number;
}

/** An event of a `followEvents`. */
export interface FollowedEvent {
  readonly followId: string;
  readonly event: RecordedEvent;
}

/** How far a `followEvents` has come. */
export interface FollowNotice {
  readonly followId: string;
  /** Every event up to here was sent. */
  readonly position: number;
}

/** A persistent subscription has ended for this connection. */
export interface SubscriptionEnded {
  readonly storeId: string;
  readonly name: string;
  /** `subscription_not_found` when it was removed, `unavailable` when its store has left. */
  readonly code: string;
  readonly message: string;
}

/** A worker tells that its store has new events. */
export interface CommittedNotice {
  readonly storeId: string;
  readonly position: number;
}

/** The gateway tells a worker that another connection has taken over its name. */
export interface ReplacedNotice {
  readonly storeId: string;
  readonly workerId: string;
}

const channel = oneOf(CHANNEL_NAMES);

const followNotice = (description: string): Schema<FollowNotice> =>
  object<FollowNotice>({ followId: anyText(), position: integer(0) }, { open: true, description });

/** The notifications of the protocol, with the schemas of their parameters. */
export const NOTIFICATIONS: {
  readonly hello: Schema<Hello>;
  readonly message: Schema<ChannelMessage>;
  readonly replayed: Schema<ReplayedNotice>;
  readonly dropped: Schema<DroppedNotice>;
  readonly event: Schema<SubscriptionEvent>;
  readonly subscriptionEnded: Schema<SubscriptionEnded>;
  readonly followed: Schema<FollowedEvent>;
  readonly caughtUp: Schema<FollowNotice>;
  readonly fellBehind: Schema<FollowNotice>;
  readonly committed: Schema<CommittedNotice>;
  readonly replaced: Schema<ReplacedNotice>;
} = {
  hello: object<Hello>(
    {
      gatewayDid: anyText('a did:key'),
      nodeId: anyText(),
      version: anyText(),
      nonce: anyText(),
      capabilities: oneOf(['disabled', 'optional', 'required']),
      methods: array(anyText()),
      limits: optional(
        object<HelloLimits>(
          { frameBytes: integer(1), messageBytes: integer(1), inFlight: integer(1), batch: integer(1) },
          { open: true, description: 'what the gateway accepts' },
        ),
      ),
    },
    { open: true, description: 'the first message of a gateway' },
  ),
  message: object<ChannelMessage>(
    {
      channel,
      topic: anyText(),
      id: anyText(),
      time: anyText('ISO 8601 with milliseconds and Z'),
      position: anyText('opaque; handing it back resumes after this message'),
      message: json(),
      replayFor: optional(anyText('only on a replayed message: the topic of the subscription that replays')),
    },
    { open: true, description: 'a message of a channel' },
  ),
  replayed: object<ReplayedNotice>(
    { channel, topic: anyText(), position: anyText() },
    { open: true, description: 'the subscription has caught up and is live' },
  ),
  dropped: object<DroppedNotice>(
    { channel, count: integer(1), position: anyText() },
    { open: true, description: 'messages of low priority that this connection lost' },
  ),
  event: object<SubscriptionEvent>(
    { storeId: anyText(), name: anyText(), event: recordedEvent, attempt: integer(1) },
    { open: true, description: 'an event of a persistent subscription, to be acknowledged' },
  ),
  subscriptionEnded: object<SubscriptionEnded>(
    { storeId: anyText(), name: anyText(), code: anyText(), message: anyText() },
    { open: true, description: 'a persistent subscription has ended for this connection' },
  ),
  followed: object<FollowedEvent>(
    { followId: anyText(), event: recordedEvent },
    { open: true, description: 'an event of a `followEvents`' },
  ),
  caughtUp: followNotice('a `followEvents` has reached the end of the store; what follows is live'),
  fellBehind: followNotice('a `followEvents` reads from the store again, from `position` on'),
  committed: object<CommittedNotice>(
    { storeId: anyText(), position: integer(1) },
    { open: true, description: 'a worker tells the gateway that its store has new events' },
  ),
  replaced: object<ReplacedNotice>(
    { storeId: anyText(), workerId: anyText() },
    { open: true, description: 'another connection now serves under the name of this worker' },
  ),
};
