import type { KafkaBroker } from '@esdb-gater/broker-kafka';
import { retryUntilAborted, SingleFlight } from '@esdb-gater/primitives';
import type { ParamsOf } from '@esdb-gater/protocol';
import { calculateDelay } from '@esdb-gater/retry';
import {
  createRevocationList,
  type RevocationList,
  type Secrets,
  sign,
  verifyRevocation,
} from '@esdb-gater/security';
import {
  type ChannelSubscriber,
  type Channels,
  type Clock,
  type Delivery,
  GaterError,
  type JsonValue,
  type Logger,
} from '@esdb-gater/types';
import { writeFileAtomic } from '../node/atomic-file.ts';
import { type DataDir, readOptional } from '../node/data-dir.ts';
import { openRevocationLog, type RevocationLog } from './revocation-log.ts';

/** The revocations that this gateway knows, from its own callers and from the `security` channel. */
export interface Revocations {
  /** For the verification of tokens. */
  readonly isRevoked: RevocationList['isRevoked'];
  /**
   * Checks a revocation, signs it and publishes it on the `security` channel. Resolves once it is in force and
   * written down here, and with Kafka there.
   *
   * @throws `invalid_argument` (reason `revocation`), `unauthorized` (reason `invalid_signature`) for a wrong proof,
   * `unavailable` when it is in force on this node only: to be repeated
   */
  publish(revocation: ParamsOf<'revokeToken'>): Promise<{ readonly id: string }>;
  /**
   * Listens to the `security` channel from now on, and with Kafka to the topic that all nodes share. Returns what
   * ends it.
   */
  follow(channels: Channels, kafka?: Pick<KafkaBroker, 'openLog'>): Promise<() => void>;
  /** False while there may be revocations of other nodes that have not been read since the start. */
  readonly complete: boolean;
  /** Resolves when {@link complete}, or when it is ended. */
  whenComplete(): Promise<void>;
  /** Calls `listener` after each revocation that is new here. */
  onRevoked(listener: () => void): void;
}

export interface RevocationsComponents {
  readonly dataDir: DataDir;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface RevocationsOptions {
  /** What messages on the `security` channel are signed with. */
  readonly secret: Secrets;
  readonly trustedIssuers: readonly string[];
}

const FILE = 'revocations.json';
const CHANNEL = 'security';
const TOPICS: readonly string[] = ['token.revoked', 'issuer.revoked'];
/** One replay instead of two. */
const PATTERN = '*.revoked';

/** A token lives for a day; what was published before is in the topic of revocations since. */
const RECENT_MS = 25 * 3_600_000;

const RETRY = { baseDelayMs: 100, maxDelayMs: 5_000 };

/** @throws `invalid_argument` when what was written down is damaged: without it revoked tokens would be good again */
export async function openRevocations(
  components: RevocationsComponents,
  options: RevocationsOptions,
): Promise<Revocations> {
  const file = components.dataDir.file(FILE);
  const list = createRevocationList({ clock: components.clock }, options, await stored(file));
  return new KeptRevocations(list, file, components, options);
}

async function stored(file: string): Promise<readonly unknown[]> {
  const text = await readOptional(file);
  if (text === undefined) return [];
  try {
    return JSON.parse(text) as unknown[];
  } catch (error) {
    throw new GaterError('invalid_argument', `${file} is damaged: it is no JSON`, {
      details: { reason: 'revocation' },
      cause: error,
    });
  }
}

class KeptRevocations implements Revocations {
  readonly isRevoked: RevocationList['isRevoked'];
  readonly #list: RevocationList;
  readonly #components: RevocationsComponents;
  readonly #options: RevocationsOptions;
  readonly #listeners: (() => void)[] = [];
  #channels: Channels | undefined;
  #log: RevocationLog | undefined;
  readonly #writes: SingleFlight<void>;

  constructor(
    list: RevocationList,
    file: string,
    components: RevocationsComponents,
    options: RevocationsOptions,
  ) {
    this.#list = list;
    this.isRevoked = list.isRevoked;
    this.#writes = new SingleFlight(() => writeFileAtomic(file, `${JSON.stringify(list)}\n`));
    this.#components = components;
    this.#options = options;
  }

  get complete(): boolean {
    return this.#log?.ready ?? true;
  }

  async whenComplete(): Promise<void> {
    await this.#log?.whenReady();
  }

  async publish(revocation: ParamsOf<'revokeToken'>): Promise<{ readonly id: string }> {
    const verified = verifyRevocation(revocation);
    await this.#take(revocation as unknown as JsonValue);
    const { topic } = verified;
    const message = sign(revocation, { secret: this.#options.secret, channel: CHANNEL, topic });
    const channels = this.#channels;
    if (channels === undefined) throw new GaterError('unavailable', 'the channels are not open yet');
    const [{ id }] = await Promise.all([
      channels.publish({ channel: CHANNEL, topic, message: message as unknown as JsonValue }),
      this.#log?.append(verified.revocation),
    ]);
    return { id };
  }

  async follow(channels: Channels, kafka?: Pick<KafkaBroker, 'openLog'>): Promise<() => void> {
    const { clock, logger } = this.#components;
    this.#channels = channels;
    const subscriber = channels.connect({
      sink: {
        write: (deliveries) => this.#received(deliveries),
        bufferedBytes: () => 0,
        overflow: () => logger.error({}, 'revocations came faster than they were taken'),
      },
    });
    if (kafka === undefined) {
      await subscriber.subscribe({ channel: CHANNEL, topic: PATTERN, from: 'earliest' });
      return () => subscriber.close();
    }
    const ending = new AbortController();
    const log = openRevocationLog({
      kafka,
      clock,
      logger,
      onRevocation: (revocation) => this.#takeLater(revocation, {}),
      known: () => this.#list.toJSON().map(({ revocation }) => revocation),
    });
    this.#log = log;
    void this.#subscribeRecent(subscriber, ending.signal);
    return () => {
      ending.abort();
      subscriber.close();
      log.close();
    };
  }

  /** Whatever was published on the channel while no gateway that wrote it on was there. Kafka may come later. */
  async #subscribeRecent(subscriber: ChannelSubscriber, signal: AbortSignal): Promise<void> {
    const { clock, logger } = this.#components;
    const subscribe = (): Promise<unknown> => {
      const time = new Date(clock.now() - RECENT_MS).toISOString();
      return subscriber.subscribe({ channel: CHANNEL, topic: PATTERN, from: { time } });
    };
    await retryUntilAborted(subscribe, {
      clock,
      signal,
      backoff: (failures) => calculateDelay(failures, RETRY),
      onFailure: (error) =>
        logger.debug({ err: error }, 'the revocations cannot be followed yet, trying again'),
    });
  }

  onRevoked(listener: () => void): void {
    this.#listeners.push(listener);
  }

  #received(deliveries: readonly Delivery[]): void {
    for (const { notice } of deliveries) {
      if (notice.method !== 'message' || !TOPICS.includes(notice.params.topic)) continue;
      this.#takeLater(notice.params.message, { id: notice.params.id });
      this.#log?.complete();
    }
  }

  #takeLater(revocation: JsonValue, fields: object): void {
    this.#take(revocation).catch((error: unknown) => {
      this.#components.logger.warn({ err: error, ...fields }, 'a revocation is without effect');
    });
  }

  /** Takes effect at once; resolves when it is written down. */
  async #take(revocation: JsonValue): Promise<void> {
    if (this.#list.add(revocation) === undefined) return;
    for (const listener of this.#listeners) listener();
    await this.#writes.run();
  }
}
