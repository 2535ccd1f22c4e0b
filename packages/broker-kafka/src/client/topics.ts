import type { ChannelName } from '@esdb-gater/types';
import type { TopicSpec } from './driver.ts';
import type { ResolvedOptions } from './options.ts';

const DAY_MS = 86_400_000;

/** How long a channel's messages can be replayed. `health` keeps the last of each topic instead. */
const RETENTION_DAYS: Readonly<Record<Exclude<ChannelName, 'health'>, number>> = {
  alerts: 30,
  security: 90,
  events: 7,
  system: 7,
  metrics: 1,
  audit: 90,
  lifecycle: 7,
  logging: 3,
  diagnostics: 1,
};
const DEAD_LETTER_DAYS = 30;

/** A fed event has more around it than the 1 MiB that a client may send. */
const MESSAGE_BYTES = 2 * 1_048_576;

/** What a topic is made with; how many copies is only known when the brokers are. */
export type TopicPlan = Omit<TopicSpec, 'replicationFactor'>;

/** The Kafka topic of a channel. */
export function channelTopic(options: ResolvedOptions, channel: ChannelName): string {
  return options.topicPrefix + channel;
}

/** Where what came in on a channel and was not understood goes. */
export function deadLetterTopic(options: ResolvedOptions, channel: ChannelName): string {
  return `${channelTopic(options, channel)}.dead-letter`;
}

export function channelPlan(options: ResolvedOptions, channel: ChannelName): TopicPlan {
  return {
    topic: channelTopic(options, channel),
    partitions: options.partitions,
    settings: {
      ...(channel === 'health' ? compacted() : keptFor(RETENTION_DAYS[channel])),
      'max.message.bytes': String(MESSAGE_BYTES),
      'message.timestamp.type': options.brokerTime.includes(channel) ? 'LogAppendTime' : 'CreateTime',
    },
  };
}

/** One partition: dead letters are few, and are read by people. */
export function deadLetterPlan(options: ResolvedOptions, channel: ChannelName): TopicPlan {
  return {
    topic: deadLetterTopic(options, channel),
    partitions: 1,
    // A record that came from outside may be as large as its topic let it be, and gets headers here.
    settings: { ...keptFor(DEAD_LETTER_DAYS), 'max.message.bytes': String(MESSAGE_BYTES + 65_536) },
  };
}

/** One partition, so that all nodes read the same order, and the last record of each key for ever. */
export function logPlan(topic: string): TopicPlan {
  return {
    topic,
    partitions: 1,
    settings: {
      ...compacted(),
      'max.message.bytes': String(MESSAGE_BYTES),
      'message.timestamp.type': 'LogAppendTime',
    },
  };
}

function keptFor(days: number): Readonly<Record<string, string>> {
  return { 'cleanup.policy': 'delete', 'retention.ms': String(days * DAY_MS) };
}

function compacted(): Readonly<Record<string, string>> {
  return {
    'cleanup.policy': 'compact',
    'max.compaction.lag.ms': String(DAY_MS),
    'min.cleanable.dirty.ratio': '0.2',
  };
}
