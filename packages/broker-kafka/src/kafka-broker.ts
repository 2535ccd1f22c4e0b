import {
  type Broker,
  type BrokerHealth,
  type BrokerRecord,
  type ChannelName,
  type Clock,
  type Logger,
  type OutgoingRecord,
  silentLogger,
  systemClock,
} from '@esdb-gater/types';
import { Cluster } from './client/cluster.ts';
import { Connections } from './client/connections.ts';
import { kafkajsDriver } from './client/kafkajs.ts';
import {
  deadLetterTopic,
  type KafkaBrokerOptions,
  type ResolvedOptions,
  resolveOptions,
} from './client/options.ts';
import { platformaticDriver } from './client/platformatic.ts';
import { DeadLetters } from './consumer/dead-letters.ts';
import { KafkaChannel } from './consumer/kafka-channel.ts';
import { Offsets } from './consumer/offsets.ts';
import { type Accept, RecordDecoder } from './consumer/record-decoder.ts';
import {
  type KafkaLog,
  type KafkaLogOptions,
  type LogOpener,
  openKafkaLog,
} from './coordination/compacted-log.ts';
import { encodeOutgoing } from './producer/outgoing-record.ts';
import { Sender } from './producer/sender.ts';

export interface KafkaBrokerComponents {
  readonly clock?: Clock;
  readonly logger?: Logger;
  /** Decides which records are delivered and replayed. @default all records */
  readonly accept?: Accept;
  /** Called once for each record that this node sends to the dead letters. */
  readonly onDeadLetter?: (channel: ChannelName, reason: string) => void;
}

/** Statistics of this node's traffic with Kafka. */
export interface KafkaStats {
  /** Records that wait for an acknowledgement, and their bytes. */
  readonly queued: { readonly records: number; readonly bytes: number };
  /** Records in Kafka that this node has not delivered yet, for each channel that it tails. */
  readonly lag: ReadonlyMap<ChannelName, number>;
  /** Records that could not be decoded or were not accepted. */
  readonly deadLetters: ReadonlyMap<ChannelName, number>;
  /** Records dropped because their source, subject and id were known. */
  readonly duplicates: number;
  /** Partitions without a leader at this moment. */
  readonly leaderless: number;
}

/** A broker that stores the channels in Apache Kafka. */
export interface KafkaBroker extends Broker, LogOpener {
  stats(): KafkaStats;
}

/**
 * Creates a broker that stores the channels in Kafka. Returns at once: Kafka may become available later, and may be
 * unavailable at times.
 *
 * @throws `invalid_argument` with reason `kafka` for an invalid option
 */
export function createKafkaBroker(
  components: KafkaBrokerComponents,
  options: KafkaBrokerOptions,
): KafkaBroker {
  return new Kafka(components, resolveOptions(options));
}

class Kafka implements KafkaBroker {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #options: ResolvedOptions;
  readonly #connections: Connections;
  readonly #cluster: Cluster;
  readonly #offsets: Offsets;
  readonly #sender: Sender;
  readonly #deadLetters: DeadLetters;
  readonly #decoder: RecordDecoder;
  readonly #channels = new Map<ChannelName, KafkaChannel>();
  readonly #logs = new Set<KafkaLog>();

  constructor(components: KafkaBrokerComponents, options: ResolvedOptions) {
    const { clock = systemClock, logger = silentLogger } = components;
    this.#clock = clock;
    this.#logger = logger;
    this.#options = options;
    const driver = options.driver === 'platformatic' ? platformaticDriver : kafkajsDriver;
    const connections = new Connections(driver, options.clientId, clock, options.security);
    const cluster = new Cluster(
      { connections, clock, logger },
      { bootstrap: options.brokers, replicationFactor: options.replicationFactor },
    );
    this.#connections = connections;
    this.#cluster = cluster;
    this.#offsets = new Offsets({ connections, cluster, clock });
    this.#sender = new Sender(
      { connections, cluster, clock, isReady: (topic, partition) => this.#isReady(topic, partition) },
      options,
    );
    this.#deadLetters = new DeadLetters({
      clock,
      logger,
      send: (channel, record) => this.#sender.send(deadLetterTopic(options, channel), record, null),
      onDeadLetter: components.onDeadLetter,
    });
    this.#decoder = new RecordDecoder({ deadLetters: this.#deadLetters, accept: components.accept });
  }

  async append(
    name: ChannelName,
    record: OutgoingRecord,
    options: { readonly signal?: AbortSignal } = {},
  ): Promise<{ readonly position?: string }> {
    const channel = this.#channel(name);
    const encoded = encodeOutgoing(record);
    const key = record.partitionKey === undefined ? encoded.key : Buffer.from(record.partitionKey);
    const { partition, offset } = await this.#sender.send(channel.topic, encoded, key, options.signal);
    const position = channel.positionAfter(partition, offset);
    return position === undefined ? {} : { position };
  }

  tail(channel: ChannelName, handler: (batch: readonly BrokerRecord[]) => void): () => void {
    return this.#channel(channel).tail(handler);
  }

  readonly position: Broker['position'] = (channel) => this.#channel(channel).position();

  readonly resolve: Broker['resolve'] = (channel, from) => this.#channel(channel).resolve(from);

  readonly read: Broker['read'] = (channel, after, until, options) =>
    this.#channel(channel).read(after, until, options?.signal);

  readonly caughtUp: Broker['caughtUp'] = (channel, after, until) =>
    this.#channel(channel).caughtUp(after, until);

  readonly tailPosition: Broker['tailPosition'] = (channel) => this.#channel(channel).tailPosition();

  health(): BrokerHealth {
    const { status, message } = this.#cluster.state;
    if (status === 'unknown') return { status: 'unhealthy', message: 'Kafka has not responded yet' };
    if (status === 'down') return { status: 'unhealthy', message: message ?? 'cannot reach Kafka' };
    const denied = this.#cluster.denied();
    if (denied.length > 0) {
      const more = denied.length > 1 ? ` and ${denied.length - 1} more topics` : '';
      const message = `the access rules of Kafka do not let this node use the topic ${denied[0]}${more}`;
      return { status: 'unhealthy', message };
    }
    const [missing] = this.#cluster.missing();
    if (missing !== undefined)
      return { status: 'degraded', message: `the topic ${missing} does not exist yet` };
    const leaderless = this.#cluster.leaderless();
    if (leaderless > 0) return { status: 'degraded', message: `${leaderless} partitions have no leader` };
    for (const [name, channel] of this.#channels) {
      if (channel.error !== undefined) return { status: 'degraded', message: `${name}: ${channel.error}` };
    }
    return { status: 'healthy' };
  }

  stats(): KafkaStats {
    const lag = new Map<ChannelName, number>();
    for (const [name, channel] of this.#channels) lag.set(name, channel.lag);
    return {
      queued: this.#sender.queued,
      lag,
      deadLetters: new Map(this.#deadLetters.counts()),
      duplicates: this.#decoder.duplicates,
      leaderless: this.#cluster.leaderless(),
    };
  }

  openLog(options: KafkaLogOptions): KafkaLog {
    const log = openKafkaLog(
      {
        connections: this.#connections,
        cluster: this.#cluster,
        offsets: this.#offsets,
        sender: this.#sender,
        clock: this.#clock,
        logger: this.#logger,
      },
      options,
    );
    this.#logs.add(log);
    return log;
  }

  async close(): Promise<void> {
    await this.#sender.close();
    for (const channel of this.#channels.values()) channel.close();
    for (const log of this.#logs) log.close();
    this.#cluster.close();
    this.#connections.closeAll();
  }

  #channel(name: ChannelName): KafkaChannel {
    let channel = this.#channels.get(name);
    if (channel === undefined) {
      channel = new KafkaChannel(
        {
          connections: this.#connections,
          cluster: this.#cluster,
          offsets: this.#offsets,
          decoder: this.#decoder,
          clock: this.#clock,
          logger: this.#logger,
          onOffsetKnown: () => this.#sender.wake(),
        },
        name,
        this.#options,
      );
      this.#channels.set(name, channel);
    }
    return channel;
  }

  #isReady(topic: string, partition: number): boolean {
    for (const channel of this.#channels.values()) {
      if (channel.topic === topic) return channel.isReady(partition);
    }
    return true;
  }
}
