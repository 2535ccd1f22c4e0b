import {
  CHANNEL_NAMES,
  CHANNEL_PRIORITIES,
  type ChannelInfo,
  type ChannelName,
  type PublishParams,
  type PublishResult,
  type SubscribeFrom,
  type SubscribeParams,
  type SubscribeResult,
} from '@esdb-gater/types';
import { channel, empty, name, time, topic, topicPattern } from '../schemas/leaf-schemas.ts';
import {
  anyOf,
  anyText,
  array,
  boolean,
  integer,
  json,
  number,
  object,
  oneOf,
  optional,
  type Schema,
} from '../schemas/schema-kit.ts';
import { type MethodSpec, nothing } from './method-spec.ts';

export interface UnsubscribeParams {
  readonly channel: ChannelName;
  readonly topic: string;
}

const from: Schema<SubscribeFrom> = anyOf<SubscribeFrom>(
  [
    oneOf(['latest', 'earliest']),
    object<{ readonly position: string }>({ position: anyText() }),
    object<{ readonly time: string }>({ time }),
  ],
  { description: '"latest", "earliest", { position } or { time } as in RFC 3339', reason: 'from' },
);

const channelInfo: Schema<ChannelInfo> = object<ChannelInfo>(
  {
    name: oneOf(CHANNEL_NAMES),
    priority: oneOf(CHANNEL_PRIORITIES),
    maxRate: optional(number()),
    requireSignature: boolean(),
    history: integer(0),
    enabled: boolean(),
    subscribers: integer(0),
    publishedPerSecond: number(),
    deliveredPerSecond: number(),
    dropped: integer(0),
  },
  { open: true },
);

/** Publishing and subscribing. */
export const CHANNEL_METHODS: {
  readonly publish: MethodSpec<PublishParams, PublishResult>;
  readonly subscribe: MethodSpec<SubscribeParams, SubscribeResult>;
  readonly unsubscribe: MethodSpec<UnsubscribeParams, { readonly removed: boolean }>;
  readonly channelInfo: MethodSpec<Record<string, never>, { readonly channels: readonly ChannelInfo[] }>;
} = {
  publish: {
    summary: 'Publishes a message; answered once the broker has accepted it.',
    servedBy: 'channels',
    worker: 'never',
    params: object<PublishParams>({
      channel,
      topic,
      message: json(),
      id: optional(name('a message id', 'id')),
    }),
    result: object<PublishResult>(
      { id: anyText(), position: optional(anyText()), delivered: boolean() },
      { open: true },
    ),
    requires: (params) => [
      {
        action: 'channel/publish',
        target: { kind: 'channel', channel: params.channel, topic: params.topic },
      },
    ],
  },
  subscribe: {
    summary: 'Subscribes this connection to a topic or a pattern, with a replay before it goes live.',
    servedBy: 'connection',
    worker: 'never',
    params: object<SubscribeParams>({ channel, topic: topicPattern, from: optional(from) }),
    result: object<SubscribeResult>({ position: anyText(), lost: optional(boolean()) }, { open: true }),
    requires: (params) => [
      {
        action: 'channel/subscribe',
        target: { kind: 'channel', channel: params.channel, topic: params.topic },
      },
    ],
  },
  unsubscribe: {
    summary: 'Ends a subscription of this connection.',
    servedBy: 'connection',
    worker: 'never',
    params: object<UnsubscribeParams>({ channel, topic: anyText() }),
    result: object<{ readonly removed: boolean }>({ removed: boolean() }, { open: true }),
    requires: nothing,
  },
  channelInfo: {
    summary: 'The ten channels with their rules and rates; only those that the grants cover.',
    servedBy: 'channels',
    worker: 'never',
    params: empty,
    result: object<{ readonly channels: readonly ChannelInfo[] }>(
      { channels: array(channelInfo) },
      { open: true },
    ),
    requires: nothing,
  },
};
