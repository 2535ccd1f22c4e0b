import {
  CHANNEL_NAMES,
  type ChannelName,
  type GaterError,
  invalidArgument,
  isChannelName,
} from '@esdb-gater/types';
import type { Address } from './driver.ts';

export interface KafkaBrokerOptions {
  /** `host:port` of some of the brokers, a list or one text separated by commas. */
  readonly brokers: readonly string[] | string;
  /** The client library; see the README for when to take which. @default 'kafkajs' */
  readonly driver?: 'kafkajs' | 'platformatic';
  /** What a channel's Kafka topic begins with. @default 'esdb_channel_' */
  readonly topicPrefix?: string;
  /** How long a publish may wait for Kafka before it is `unavailable`. 100 to 600 000. @default 8 000 */
  readonly publishTimeoutMs?: number;
  /** Partitions of a channel whose topic is not there yet. 1 to 12. @default 4 */
  readonly partitions?: number;
  /** Copies of a topic that is not there yet. @default 3, or as many as there are brokers then */
  readonly replicationFactor?: number;
  /** Records that may wait for Kafka, those under way counted; more is `overloaded`. @default 20 000 */
  readonly queueRecords?: number;
  /** Bytes of them. @default 64 MiB */
  readonly queueBytes?: number;
  /** The last identities a channel knows duplicates by. 0 switches it off. @default 10 000 */
  readonly duplicateWindow?: number;
  /**
   * Channels whose records get the broker's time instead of the publisher's, so that nobody can make an old
   * signature look fresh. Only topics that are not there yet take it. @default alerts, security
   */
  readonly brokerTime?: readonly ChannelName[];
  /** What this node calls itself towards Kafka. @default 'esdb-gater' */
  readonly clientId?: string;
}

export interface ResolvedOptions extends Required<Omit<KafkaBrokerOptions, 'brokers' | 'replicationFactor'>> {
  readonly brokers: readonly Address[];
  readonly replicationFactor: number | undefined;
}

/** A topic name of Kafka has 249 characters; the longest that is put behind the prefix is this. */
const LONGEST_SUFFIX = 'diagnostics.dead-letter'.length;
const PREFIX = /^[A-Za-z0-9._-]*$/;

/**
 * Validates and completes.
 *
 * @throws `invalid_argument` with reason `kafka`, naming the member, its value and what was expected
 */
export function resolveOptions(options: KafkaBrokerOptions): ResolvedOptions {
  const { driver = 'kafkajs', topicPrefix = 'esdb_channel_', brokerTime = ['alerts', 'security'] } = options;
  if (driver !== 'kafkajs' && driver !== 'platformatic')
    throw refused('driver', driver, 'kafkajs or platformatic');
  if (!PREFIX.test(topicPrefix) || topicPrefix.length > 249 - LONGEST_SUFFIX) {
    throw refused('topicPrefix', topicPrefix, `up to ${249 - LONGEST_SUFFIX} of A-Z a-z 0-9 . _ -`);
  }
  for (const channel of brokerTime) {
    if (!isChannelName(channel)) throw refused('brokerTime', channel, `of ${CHANNEL_NAMES.join(', ')}`);
  }
  return Object.freeze({
    brokers: parseBrokers(options.brokers),
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

function parseBrokers(brokers: readonly string[] | string): readonly Address[] {
  const texts = (typeof brokers === 'string' ? brokers.split(',') : brokers).map((text) => text.trim());
  const addresses = texts.filter((text) => text !== '').map(parseAddress);
  if (addresses.length === 0) throw refused('brokers', String(brokers), 'at least one host:port');
  return Object.freeze(addresses);
}

function parseAddress(text: string): Address {
  const colon = text.lastIndexOf(':');
  const port = Number(text.slice(colon + 1));
  const host = text.slice(0, Math.max(colon, 0)).replace(/^\[(.*)\]$/, '$1');
  if (host === '' || !Number.isInteger(port) || port < 1 || port > 65_535) {
    throw refused('brokers', text, 'host:port, such as 127.0.0.1:9092');
  }
  return Object.freeze({ host, port });
}

function integer(name: string, value: number, least: number, most: number): number {
  if (Number.isSafeInteger(value) && value >= least && value <= most) return value;
  throw refused(name, value, `an integer from ${least} to ${most}`);
}

function refused(member: string, value: unknown, expected: string): GaterError {
  return invalidArgument('kafka', `kafka.${member} is ${String(value)}, expected ${expected}`, {
    member,
    expected,
  });
}
