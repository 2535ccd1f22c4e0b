import {
  type Broker,
  type BrokerHealth,
  type BrokerRecord,
  type ChannelName,
  type Clock,
  type Logger,
  type OutgoingRecord,
  type ReplayFrom,
  silentLogger,
  systemClock,
} from '@esdb-gater/types';
import { Cluster } from './client/cluster.ts';
import { Connections } from './client/connections.ts';
import { kafkajsDriver } from './client/kafkajs.ts';
import { type KafkaBrokerOptions, type ResolvedOptions, resolveOptions } from './client/options.ts';
import { platformaticDriver } from './client/platformatic.ts';
import { deadLetterTopic } from './client/topics.ts';
import { DeadLetters } from './consumer/dead-letters.ts';
import { KafkaChannel } from './consumer/kafka-channel.ts';
import { Offsets } from './consumer/offsets.ts';
import { type Accept, Interpreter } from './consumer/record-decoder.ts';
import { type KafkaLog, type KafkaLogOptions, openKafkaLog } from './coordination/compacted-log.ts';
import { encodeOutgoing } from './producer/outgoing-record.ts';
import { Sender } from './producer/sender.ts';

export interface KafkaBrokerComponents {
  readonly clock?: Clock;
  readonly logger?: Logger;
  /** Judges what comes in, before it is delivered or replayed. @default everything is accepted */
  readonly accept?: Accept;
  /** Called once for each record that this node puts aside. */
  readonly onDeadLetter?: (channel: ChannelName, reason: string) => void;
}

/** What this node can tell of its dealings with Kafka. */
export interface KafkaStats {
  /** Records that wait for an acknowledgement, and their bytes. */
  readonly queued: { readonly records: number; readonly bytes: number };
  /** Records in Kafka that this node has not handed over yet, for each channel that it tails. */
  readonly lag: ReadonlyMap<ChannelName, number>;
  /** Records put aside because they could not be understood or were not accepted. */
  readonly deadLetters: ReadonlyMap<ChannelName, number>;
  /** Records left out because their source, subject and id had come before. */
  readonly duplicates: number;
  /** Partitions that no broker leads at this moment. */
  readonly leaderless: number;
}

/** The channels over Apache Kafka. */
export interface KafkaBroker extends Broker {
  stats(): KafkaStats;
  /**
   * Opens a topic of one partition in which the last record of each key stays for ever, such as
   * `esdb_gater_revocations`, and reads all of it, and then what comes.
   */
  openLog(options: KafkaLogOptions): KafkaLog;
}

/**
 * Makes a broker that keeps the channels in Kafka. Nothing is waited for: Kafka may come later, go and come back.
 *
 * @throws `invalid_argument` with reason `kafka` for an option that cannot be
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
  readonly #interpreter: Interpreter;
  readonly #channels = new Map<ChannelName, KafkaChannel>();
  readonly #logs = new Set<KafkaLog>();

  constructor(components: KafkaBrokerComponents, options: ResolvedOptions) {
    const { clock = systemClock, logger = silentLogger } = components;
    this.#clock = clock;
    this.#logger = logger;
    this.#options = options;
    const driver = options.driver === 'platformatic' ? platformaticDriver : kafkajsDriver;
    this.#connections = new Connections(driver, options.clientId, clock);
    const connections = this.#connections;
    this.#cluster = new Cluster(
      { connections, clock, logger },
      { bootstrap: options.brokers, replicationFactor: options.replicationFactor },
    );
    const cluster = this.#cluster;
    this.#offsets = new Offsets({ connections, cluster, clock });
    this.#sender = new Sender(
      { connections, cluster, clock, mayBegin: (topic, partition) => this.#mayBegin(topic, partition) },
      options,
    );
    this.#deadLetters = new DeadLetters({
      clock,
      logger,
      send: (channel, record) => this.#sender.send(deadLetterTopic(options, channel), record, null),
      onDeadLetter: components.onDeadLetter,
    });
    this.#interpreter = new Interpreter({ deadLetters: this.#deadLetters, accept: components.accept });
  }

  async append(
    channel: ChannelName,
    record: OutgoingRecord,
    options: { readonly signal?: AbortSignal } = {},
  ): Promise<{ readonly position?: string }> {
    const { topic, positionAfter } = this.#channel(channel);
    const encoded = encodeOutgoing(record);
    const key = record.partitionKey === undefined ? encoded.key : Buffer.from(record.partitionKey);
    const { partition, offset } = await this.#sender.send(topic, encoded, key, options.signal);
    const position = positionAfter(partition, offset);
    return position === undefined ? {} : { position };
  }

  tail(channel: ChannelName, handler: (batch: readonly BrokerRecord[]) => void): () => void {
    return this.#channel(channel).tail(handler);
  }

  position(channel: ChannelName): Promise<string> {
    return this.#channel(channel).position();
  }

  resolve(
    channel: ChannelName,
    from: ReplayFrom,
  ): Promise<{ readonly position: string; readonly lost?: boolean }> {
    return this.#channel(channel).resolve(from);
  }

  read(
    channel: ChannelName,
    after: string,
    until: string,
    options: { readonly signal?: AbortSignal } = {},
  ): AsyncIterable<readonly BrokerRecord[]> {
    return this.#channel(channel).read(after, until, options.signal);
  }

  caughtUp(channel: ChannelName, after: string, until: string): boolean {
    return this.#channel(channel).caughtUp(after, until);
  }

  tailPosition(channel: ChannelName): string | undefined {
    return this.#channel(channel).tailPosition();
  }

  health(): BrokerHealth {
    const { status, message } = this.#cluster.state;
    if (status === 'unknown') return { status: 'unhealthy', message: 'Kafka has not answered yet' };
    if (status === 'down') return { status: 'unhealthy', message: message ?? 'Kafka is not to be reached' };
    const [missing] = this.#cluster.missing();
    if (missing !== undefined)
      return { status: 'degraded', message: `the topic ${missing} is not there yet` };
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
      duplicates: this.#interpreter.duplicates,
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
          interpreter: this.#interpreter,
          clock: this.#clock,
          logger: this.#logger,
          wake: () => this.#sender.wake(),
        },
        name,
        this.#options,
      );
      this.#channels.set(name, channel);
    }
    return channel;
  }

  #mayBegin(topic: string, partition: number): boolean {
    for (const channel of this.#channels.values()) {
      if (channel.topic === topic) return channel.mayBegin(partition);
    }
    return true;
  }
}
