import { CHANNEL_NAMES, CHANNEL_PRIORITIES, type ChannelInfo, type SubscribeFrom } from '@esdb-gater/types';
import type { ParamsOf, ResultOf } from '../methods/method-types.ts';
import { channel, empty, name, time, topic, topicPattern } from './leaf-schemas.ts';
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
  type SchemasOf,
} from './schema-kit.ts';

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
  { open: true, title: 'ChannelInfo' },
);

/** Publishing and subscribing. */
export const CHANNEL_SCHEMAS: SchemasOf<'publish' | 'subscribe' | 'unsubscribe' | 'channelInfo'> = {
  publish: {
    summary: 'Publishes a message; answered once the broker has accepted it.',
    params: object<ParamsOf<'publish'>>({
      channel,
      topic,
      message: json(),
      id: optional(name('a message id', 'id')),
    }),
    result: object<ResultOf<'publish'>>(
      { id: anyText(), position: optional(anyText()), delivered: boolean() },
      { open: true, title: 'PublishResult' },
    ),
  },
  subscribe: {
    summary: 'Subscribes this connection to a topic or a pattern, with a replay before it goes live.',
    params: object<ParamsOf<'subscribe'>>({ channel, topic: topicPattern, from: optional(from) }),
    result: object<ResultOf<'subscribe'>>({ position: anyText(), lost: optional(boolean()) }, { open: true }),
  },
  unsubscribe: {
    summary: 'Ends a subscription of this connection.',
    params: object<ParamsOf<'unsubscribe'>>({ channel, topic: anyText() }),
    result: object<ResultOf<'unsubscribe'>>({ removed: boolean() }, { open: true }),
  },
  channelInfo: {
    summary: 'The ten channels with their rules and rates; only those that the grants cover.',
    params: empty,
    result: object<ResultOf<'channelInfo'>>({ channels: array(channelInfo) }, { open: true }),
  },
};
