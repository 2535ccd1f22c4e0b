import { invalidOption, requireInteger } from '@esdb-gater/primitives';
import { CHANNEL_NAMES, type ChannelName, type GaterError, isChannelName } from '@esdb-gater/types';
import type { Address, ConnectionSecurity, TopicSpec } from './driver.ts';

export interface KafkaBrokerOptions extends ConnectionSecurity {
  /** `host:port` of some of the brokers: a list, or one string separated by commas. */
  readonly brokers: readonly string[] | string;
  /** The client library; the README compares them. @default 'kafkajs' */
  readonly driver?: 'kafkajs' | 'platformatic';
  /** The beginning of the name of every channel's Kafka topic. @default 'esdb_channel_' */
  readonly topicPrefix?: string;
  /**
   * The time after which a publish that Kafka has not acknowledged fails with `unavailable`. 100 to 600 000. @default 8
   * 000
   */
  readonly publishTimeoutMs?: number;
  /** Partitions of the channel topics that this node creates. 1 to 12. @default 4 */
  readonly partitions?: number;
  /** Replicas of the topics that this node creates. @default 3, or the number of brokers if that is lower */
  readonly replicationFactor?: number;
  /** Maximum number of records that wait for Kafka or are in flight; more are `overloaded`. @default 20 000 */
  readonly queueRecords?: number;
  /** Bytes of those records. @default 64 MiB */
  readonly queueBytes?: number;
  /** How many message identities each channel remembers to drop duplicates. 0 keeps all messages. @default 10 000 */
  readonly duplicateWindow?: number;
  /**
   * Channels whose records get the broker's time instead of the publisher's, so that an old signature cannot be made to
   * look fresh. Applies to topics that this node creates. @default alerts, security
   */
  readonly brokerTime?: readonly ChannelName[];
  /** The name under which the brokers log this client. @default 'esdb-gater' */
  readonly clientId?: string;
}

export interface ResolvedOptions
  extends Required<Omit<KafkaBrokerOptions, 'brokers' | 'replicationFactor' | 'tls' | 'sasl'>> {
  readonly security: ConnectionSecurity;
  readonly brokers: readonly Address[];
  readonly replicationFactor: number | undefined;
}

/** Kafka limits a topic name to 249 characters, the longest suffix included. */
const MAX_PREFIX_UNITS = 249 - 'diagnostics.dead-letter'.length;
const PREFIX = /^[A-Za-z0-9._-]*$/;

/**
 * Validates the options and fills in the defaults.
 *
 * @throws `invalid_argument` with reason `kafka`, with the member, its value and the expectation
 */
export function resolveOptions(options: KafkaBrokerOptions): ResolvedOptions {
  const { driver = 'kafkajs', topicPrefix = 'esdb_channel_', brokerTime = ['alerts', 'security'] } = options;
  if (driver !== 'kafkajs' && driver !== 'platformatic')
    throw optionError('driver', driver, 'kafkajs or platformatic');
  if (!PREFIX.test(topicPrefix) || topicPrefix.length > MAX_PREFIX_UNITS) {
    throw optionError('topicPrefix', topicPrefix, `up to ${MAX_PREFIX_UNITS} of A-Z a-z 0-9 . _ -`);
  }
  for (const channel of brokerTime) {
    if (!isChannelName(channel)) throw optionError('brokerTime', channel, `of ${CHANNEL_NAMES.join(', ')}`);
  }
  return Object.freeze({
    brokers: parseBrokers(options.brokers),
    security: resolveSecurity(options),
    driver,
    topicPrefix,
    publishTimeoutMs: integer('publishTimeoutMs', options.publishTimeoutMs ?? 8_000, 100, 600_000),
    partitions: integer('partitions', options.partitions ?? 4, 1, 12),
    replicationFactor:
      options.replicationFactor === undefined
        ? undefined
        : integer('replicationFactor', options.replicationFactor, 1, 32_767),
    queueRecords: integer('queueRecords', options.queueRecords ?? 20_000, 1, 10_000_000),
    queueBytes: integer('queueBytes', options.queueBytes ?? 64 * 1_048_576, 1_024, 2 ** 40),
    duplicateWindow: integer('duplicateWindow', options.duplicateWindow ?? 10_000, 0, 10_000_000),
    brokerTime: Object.freeze([...brokerTime]),
    clientId: options.clientId ?? 'esdb-gater',
  });
}

const MECHANISMS: readonly string[] = ['plain', 'scram-sha-256', 'scram-sha-512'];

function resolveSecurity({ tls, sasl }: ConnectionSecurity): ConnectionSecurity {
  if (sasl !== undefined && !MECHANISMS.includes(sasl.mechanism)) {
    throw optionError('sasl.mechanism', sasl.mechanism, MECHANISMS.join(', '));
  }
  for (const member of ['username', 'password'] as const) {
    if (sasl !== undefined && (typeof sasl[member] !== 'string' || sasl[member] === '')) {
      // Without the value, which may be a secret.
      throw optionError(`sasl.${member}`, typeof sasl[member], 'a text that is not empty');
    }
  }
  return Object.freeze({
    ...(tls === undefined ? {} : { tls: Object.freeze({ ...tls }) }),
    ...(sasl === undefined ? {} : { sasl: Object.freeze({ ...sasl }) }),
  });
}

function parseBrokers(brokers: readonly string[] | string): readonly Address[] {
  const texts = (typeof brokers === 'string' ? brokers.split(',') : brokers).map((text) => text.trim());
  const addresses = texts.filter((text) => text !== '').map(parseAddress);
  if (addresses.length === 0) throw optionError('brokers', String(brokers), 'at least one host:port');
  return Object.freeze(addresses);
}

function parseAddress(text: string): Address {
  const colon = text.lastIndexOf(':');
  const port = Number(text.slice(colon + 1));
  const host = text.slice(0, Math.max(colon, 0)).replace(/^\[(.*)\]$/, '$1');
  if (host === '' || !Number.isInteger(port) || port < 1 || port > 65_535) {
    throw optionError('brokers', text, 'host:port, such as 127.0.0.1:9092');
  }
  return Object.freeze({ host, port });
}

function integer(member: string, value: number, min: number, max: number): number {
  return requireInteger(`kafka.${member}`, value, { reason: 'kafka', details: { member }, min, max });
}

function optionError(member: string, value: unknown, expected: string): GaterError {
  return invalidOption(`kafka.${member}`, value, expected, { reason: 'kafka', details: { member } });
}

const DAY_MS = 86_400_000;

/** How long the messages of a channel can be replayed. `health` keeps the last message of each topic instead. */
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

/** Twice the 1 MiB that a client may send, since a fed event is wrapped. */
const MAX_MESSAGE_BYTES = 2 * 1_048_576;

/** How to create a topic. The replication factor depends on how many brokers there are then. */
export type TopicPlan = Omit<TopicSpec, 'replicationFactor'>;

/** Returns the Kafka topic of a channel. */
export function channelTopic(options: ResolvedOptions, channel: ChannelName): string {
  return options.topicPrefix + channel;
}

/** Returns the Kafka topic for the records of a channel that were not delivered. */
export function deadLetterTopic(options: ResolvedOptions, channel: ChannelName): string {
  return `${channelTopic(options, channel)}.dead-letter`;
}

export function channelPlan(options: ResolvedOptions, channel: ChannelName): TopicPlan {
  return {
    topic: channelTopic(options, channel),
    partitions: options.partitions,
    settings: {
      ...(channel === 'health' ? compacted() : retained(RETENTION_DAYS[channel] * DAY_MS)),
      'max.message.bytes': String(MAX_MESSAGE_BYTES),
      'message.timestamp.type': options.brokerTime.includes(channel) ? 'LogAppendTime' : 'CreateTime',
    },
  };
}

/** Plans one partition: dead letters are few, and people read them. */
export function deadLetterPlan(options: ResolvedOptions, channel: ChannelName): TopicPlan {
  return {
    topic: deadLetterTopic(options, channel),
    partitions: 1,
    // A record of another client may have the maximum size of its topic, and headers are added here.
    settings: {
      ...retained(DEAD_LETTER_DAYS * DAY_MS),
      'max.message.bytes': String(MAX_MESSAGE_BYTES + 65_536),
    },
  };
}

/**
 * Plans one partition, so that all nodes read the records in the same order. Keeps the last record of each key for
 * ever, or all records for `retentionMs`.
 */
export function logPlan(topic: string, retentionMs: number | undefined): TopicPlan {
  return {
    topic,
    partitions: 1,
    settings: {
      ...(retentionMs === undefined ? compacted() : retained(retentionMs)),
      'max.message.bytes': String(MAX_MESSAGE_BYTES),
      'message.timestamp.type': 'LogAppendTime',
    },
  };
}

function retained(retentionMs: number): Readonly<Record<string, string>> {
  return { 'cleanup.policy': 'delete', 'retention.ms': String(retentionMs) };
}

function compacted(): Readonly<Record<string, string>> {
  return {
    'cleanup.policy': 'compact',
    'max.compaction.lag.ms': String(DAY_MS),
    'min.cleanable.dirty.ratio': '0.2',
  };
}
