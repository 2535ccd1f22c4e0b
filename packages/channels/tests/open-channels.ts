import { createFakeClock, type FakeClock } from '@esdb-gater/primitives/testing';
import type {
  Broker,
  ChannelName,
  ChannelSubscriber,
  Channels,
  JsonValue,
  SubscribeFrom,
  SubscribeResult,
} from '@esdb-gater/types';
import { afterEach } from 'vitest';
import { type ChannelsComponents, type ChannelsOptions, createChannels } from '../src/index.ts';
import { TestSink } from './support.ts';

/** A connection to the channels. */
export interface Connection {
  readonly sink: TestSink;
  readonly subscriber: ChannelSubscriber;
  readonly subscribe: (channel: ChannelName, topic: string, from?: SubscribeFrom) => Promise<SubscribeResult>;
}

export interface OpenedChannels {
  readonly clock: FakeClock;
  readonly channels: Channels;
  readonly connect: (bounds?: {
    readonly queueBytes?: number;
    readonly queueMessages?: number;
  }) => Connection;
  /** Resolves to the position. */
  readonly publish: (channel: ChannelName, topic: string, message: JsonValue) => Promise<string>;
}

const open: Channels[] = [];

afterEach(async () => {
  for (const channels of open.splice(0)) await channels.close();
});

/** Channels on a clock of the test's, closed after it. */
export function openChannels(
  options: ChannelsOptions = {},
  components: ChannelsComponents = {},
): OpenedChannels {
  const clock = createFakeClock(Date.UTC(2023, 10, 14, 22, 13, 20));
  const channels = createChannels({ clock, ...components }, options);
  open.push(channels);
  return {
    clock,
    channels,
    connect: (bounds = {}) => {
      const sink = new TestSink();
      const subscriber = channels.connect({ sink, ...bounds });
      return {
        sink,
        subscriber,
        subscribe: (channel, topic, from) =>
          subscriber.subscribe({ channel, topic, ...(from === undefined ? {} : { from }) }),
      };
    },
    publish: async (channel, topic, message) =>
      (await channels.publish({ channel, topic, message })).position ?? '',
  };
}

/** A broker's methods as members, so that some can be replaced. */
export function withMethods(broker: Broker, replaced: Partial<Broker>): Broker {
  return {
    append: broker.append.bind(broker),
    tail: broker.tail.bind(broker),
    position: broker.position.bind(broker),
    resolve: broker.resolve.bind(broker),
    read: broker.read.bind(broker),
    caughtUp: broker.caughtUp.bind(broker),
    tailPosition: broker.tailPosition.bind(broker),
    health: broker.health.bind(broker),
    close: broker.close.bind(broker),
    ...replaced,
  };
}
