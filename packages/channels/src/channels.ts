import { finishesWithin } from '@esdb-gater/primitives';
import { emit } from '@esdb-gater/telemetry';
import {
  type Broker,
  type BrokerRecord,
  CHANNEL_NAMES,
  type ChannelInfo,
  type ChannelName,
  type ChannelSubscriber,
  type Channels,
  type Clock,
  GaterError,
  type Logger,
  type PublishContext,
  type PublishParams,
  type PublishResult,
  type SubscriberOptions,
  silentLogger,
  systemClock,
} from '@esdb-gater/types';
import { type Channel, type ChannelComponents, createChannel } from './channel.ts';
import { createFlushScheduler, type FlushScheduler } from './delivery/flush-scheduler.ts';
import { loadLastValues } from './last-values/load-last-values.ts';
import { createMemoryBroker } from './memory-broker/memory-broker.ts';
import { type ChannelsOptions, type ResolvedOptions, resolveOptions } from './options.ts';
import { createPublishMemory } from './publish/publish-memory.ts';
import { createPublisher, type Publisher, type PublishTarget } from './publish/publisher.ts';
import { createRateLimiter } from './publish/rate-limiter.ts';
import { createSignatureGate, type SignatureGate } from './publish/signature-gate.ts';
import { createSubscriber, type SubscriberComponents } from './subscribe/subscriber.ts';
import { deliverTraced } from './tracing.ts';

export interface ChannelsComponents {
  /** @default an in-process broker with the history of the options */
  readonly broker?: Broker;
  readonly clock?: Clock;
  readonly logger?: Logger;
  /** @default HMAC signatures with the secret that `setSecret` of `@esdb-gater/security` has set */
  readonly signatures?: SignatureGate;
  /** Returns true while the process is behind, when messages of low priority are dropped. @default never */
  readonly overloaded?: () => boolean;
}

/** The channel that keeps the last message of each topic. */
const LAST_VALUE_CHANNEL: ChannelName = 'health';

/** How long a subscription waits for the last values of a broker that cannot be reached yet. */
const LOAD_WAIT_MS = 2_000;

/**
 * Creates the ten channels over a broker, and starts to tail every channel at once.
 *
 * @throws `invalid_argument` (reason `channels_option`)
 */
export function createChannels(components: ChannelsComponents = {}, options: ChannelsOptions = {}): Channels {
  return new ChannelHub(components, resolveOptions(options));
}

class ChannelHub implements Channels {
  readonly #broker: Broker;
  readonly #ownBroker: boolean;
  readonly #clock: Clock;
  readonly #scheduler: FlushScheduler;
  readonly #publisher: Publisher;
  readonly #targets: ReadonlyMap<unknown, PublishTarget>;
  readonly #subscribers = new Set<ChannelSubscriber>();
  readonly #subscriberComponents: SubscriberComponents;
  readonly #tails: readonly (() => void)[];
  readonly #closing = new AbortController();

  constructor(components: ChannelsComponents, options: ResolvedOptions) {
    const clock = components.clock ?? systemClock;
    const logger = components.logger ?? silentLogger;
    const signatures = components.signatures ?? createSignatureGate({ clock });
    const broker =
      components.broker ??
      createMemoryBroker({
        history: historyOf(options),
        historyBytes: options.historyBytes,
        clock,
        logger,
      });
    this.#clock = clock;
    this.#broker = broker;
    this.#ownBroker = components.broker === undefined;
    this.#scheduler = createFlushScheduler(clock);
    const memory = createPublishMemory(clock, {
      windowMs: options.idempotencyMs,
      maxEntries: options.idempotencyEntries,
      maxBytes: options.idempotencyBytes,
    });
    this.#publisher = createPublisher({ broker, clock, signatures, memory }, options);
    this.#targets = openTargets(options, {
      clock,
      accepts: options.verifyIncoming ? incomingCheck(options, signatures, logger) : () => true,
      overloaded: components.overloaded ?? (() => false),
      onBroadcast: (channel, topic, recipients) =>
        emit('esdb_gater.channel.broadcast', { recipient_count: recipients }, { channel, topic }),
    });
    this.#tails = CHANNEL_NAMES.map((name) => {
      const channel = this.#channelOf(name);
      const fanOut = (batch: readonly BrokerRecord[]): number => channel.fanOut(batch);
      return broker.tail(name, (batch) => deliverTraced(options.messagingSystem, name, batch, fanOut));
    });
    const lastValuesLoaded = this.#loadLastValues(logger);
    this.#subscriberComponents = {
      broker,
      clock,
      logger,
      channelOf: (name) => this.#channelOf(name),
      lastValuesLoaded: () => lastValuesLoaded,
      queues: {
        scheduler: this.#scheduler,
        logger,
        onDropped: (name) => this.#channelOf(name).countDropped(),
      },
      maxSubscriptions: options.subscriptionsPerSubscriber,
      onClosed: (closed) => this.#subscribers.delete(closed),
    };
  }

  publish(params: PublishParams, context: PublishContext = {}): Promise<PublishResult> {
    const target = this.#targets.get(params.channel);
    if (target === undefined) return Promise.reject(unknownChannel(params.channel));
    if (this.#closing.signal.aborted) return Promise.reject(closed());
    return this.#publisher.publish(target, params, context);
  }

  connect(options: SubscriberOptions): ChannelSubscriber {
    if (this.#closing.signal.aborted) throw closed();
    const subscriber = createSubscriber(this.#subscriberComponents, options);
    this.#subscribers.add(subscriber);
    return subscriber;
  }

  channelInfo(): readonly ChannelInfo[] {
    return CHANNEL_NAMES.map((name) => this.#channelOf(name).info());
  }

  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort();
    for (const stop of this.#tails) stop();
    for (const subscriber of [...this.#subscribers]) subscriber.close();
    this.#scheduler.close();
    if (this.#ownBroker) await this.#broker.close();
  }

  /** Reads the last values from the broker. Waits a bounded time; reading continues after it. */
  async #loadLastValues(logger: Logger): Promise<void> {
    const { signal } = this.#closing;
    const components = { broker: this.#broker, clock: this.#clock, logger };
    const reading = loadLastValues(components, this.#channelOf(LAST_VALUE_CHANNEL), signal);
    await finishesWithin(reading, LOAD_WAIT_MS, this.#clock, { unref: true });
  }

  #channelOf(name: unknown): Channel {
    const target = this.#targets.get(name);
    if (target === undefined) throw unknownChannel(name);
    return target.channel;
  }
}

function unknownChannel(name: unknown): GaterError {
  const shown =
    typeof name === 'string' ? JSON.stringify(name.slice(0, 80)) : `a value of type ${typeof name}`;
  return new GaterError(
    'unknown_channel',
    `channel must be one of ${CHANNEL_NAMES.join(', ')}, got ${shown}`,
  );
}

function closed(): GaterError {
  return new GaterError('unavailable', 'the channels are closed');
}

function openTargets(
  { channels, realm, lastValueTopics, historyBytes }: ResolvedOptions,
  components: ChannelComponents,
): ReadonlyMap<unknown, PublishTarget> {
  return new Map(
    CHANNEL_NAMES.map((name) => {
      const settings = channels[name];
      const { maxRate } = settings;
      const lastValues = { maxTopics: lastValueTopics, maxBytes: historyBytes };
      const channel = createChannel(
        name,
        settings,
        components,
        name === LAST_VALUE_CHANNEL ? lastValues : undefined,
      );
      const limiter = maxRate === undefined ? undefined : createRateLimiter(name, maxRate, components.clock);
      return [name, { channel, limiter, source: `esdb://${realm}/channel/${name}` }];
    }),
  );
}

function historyOf({ channels }: ResolvedOptions): Record<ChannelName, number> {
  return Object.fromEntries(CHANNEL_NAMES.map((name) => [name, channels[name].history])) as Record<
    ChannelName,
    number
  >;
}

/** Accepts records whose signature fits their channel and topic, and all records of channels that require none. */
function incomingCheck(
  { channels }: ResolvedOptions,
  signatures: SignatureGate,
  logger: Logger,
): (channel: ChannelName, record: BrokerRecord) => boolean {
  return (channel, { id, topic, message, time }) => {
    if (!channels[channel].requireSignature) return true;
    try {
      signatures.check(channel, topic, message, Date.parse(time));
      return true;
    } catch (error) {
      logger.warn({ err: error, channel, id }, 'did not deliver a message: its signature does not verify');
      return false;
    }
  };
}
