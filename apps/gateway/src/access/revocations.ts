import { unlink } from 'node:fs/promises';
import type { KafkaBroker } from '@esdb-gater/broker-kafka';
import { retryUntilAborted, uuidV5 } from '@esdb-gater/primitives';
import type { ParamsOf } from '@esdb-gater/protocol';
import { calculateDelay } from '@esdb-gater/retry';
import {
  createRevocationList,
  type RevocationList,
  type Secrets,
  sign,
  type VerifiedRevocation,
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
import { type DataDir, readOptional } from '../node/data-dir.ts';
import type { KnownIssuers } from './known-issuers.ts';
import { openRevocationFile, parseLine, type RevocationFile } from './revocation-file.ts';
import { openRevocationLog, type RevocationLog } from './revocation-log.ts';
import { createSenderLimiter, type SenderLimiter } from './sender-limiter.ts';

/** Stores the revocations of this gateway's callers and of the `security` channel. */
export interface Revocations {
  /** For the verification of tokens. */
  readonly isRevoked: RevocationList['isRevoked'];
  /**
   * Checks a revocation, signs it and publishes it on the `security` channel. Resolves once it is in force and on disk
   * here, and with Kafka in its topic. A repeated one is published again only if it was not published before.
   *
   * @param sender the sender whose limit a revocation by an unknown issuer counts towards
   * @throws `invalid_argument` (reason `revocation`), `unauthorized` (reason `invalid_signature`) for a wrong proof,
   * `rate_limited` and `overloaded` for too many by unknown issuers, `unavailable` when it is in force on this node
   * only and must be repeated
   */
  publish(revocation: ParamsOf<'revokeToken'>, sender: string): Promise<{ readonly id: string }>;
  /**
   * Follows the `security` channel, and with Kafka the topic that all nodes share. Returns a function that removes the
   * listener.
   */
  follow(channels: Channels, kafka?: Pick<KafkaBroker, 'openLog'>): Promise<() => void>;
  /** False while revocations of other nodes may not have been read since the start. */
  readonly complete: boolean;
  /** Resolves when {@link complete}, or when it is ended. */
  whenComplete(): Promise<void>;
  /** Calls `listener` after each revocation that is new here. */
  onRevoked(listener: () => void): void;
  /** Calls `listener` with each revocation that a caller of this node has brought. */
  onPublished(listener: (revocation: JsonValue) => void): void;
  /** Returns all revocations that are in force here. */
  known(): readonly JsonValue[];
  /** Takes a revocation that another node has passed on. One that is not valid is logged. */
  receive(revocation: JsonValue): void;
  /** Writes the pending revocations and closes the file. */
  close(): Promise<void>;
}

export interface RevocationsComponents {
  readonly dataDir: DataDir;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly issuers: KnownIssuers;
}

export interface RevocationsOptions {
  /** The secret that signs messages on the `security` channel. */
  readonly secret: Secrets;
  readonly trustedIssuers: readonly string[];
}

const FILE = 'revocations.ndjson';
/** The format of earlier versions: a JSON array. */
const FORMER_FILE = 'revocations.json';
const CHANNEL = 'security';
const TOPICS: readonly string[] = ['token.revoked', 'issuer.revoked'];
/** A pattern for both topics, so that one replay suffices. */
const PATTERN = '*.revoked';

/** A token is valid for at most a day, and older revocations are in the topic of revocations. */
const RECENT_MS = 25 * 3_600_000;

const RETRY = { baseDelayMs: 100, maxDelayMs: 5_000 };

/**
 * The limits of unknown issuers: anyone can create keys and revoke with them, and a token by such a key may still be
 * presented. One address may add up to 30 at once, then one every 10 s, and 200 a day; all addresses together 20 000,
 * about 10 MB on disk.
 */
const STRANGERS = { burst: 30, everyMs: 10_000, maxSenders: 20_000 } as const;
const LIMITS = { maxPerSender: 200, maxEntries: 20_000 } as const;

/** @throws `invalid_argument` when the file is damaged: without it revoked tokens would be valid again */
export async function openRevocations(
  components: RevocationsComponents,
  options: RevocationsOptions,
): Promise<Revocations> {
  const { dataDir, clock, logger, issuers } = components;
  const former = await readFormer(dataDir.file(FORMER_FILE));
  const file = await openRevocationFile(dataDir.file(FILE), { clock, logger, kept: () => list.toJSON() });
  const list = createRevocationList(
    { clock },
    { trustedIssuers: options.trustedIssuers, isKnownIssuer: issuers.has, ...LIMITS },
    [...former, ...file.stored],
  );
  if (former.length > 0) {
    for (const entry of list.toJSON()) file.add(entry);
    await file.flush();
    await unlink(dataDir.file(FORMER_FILE));
  }
  return new KeptRevocations(list, file, components, options);
}

async function readFormer(file: string): Promise<readonly unknown[]> {
  const text = await readOptional(file);
  return text === undefined ? [] : (parseLine(text, `${file} is damaged: invalid JSON`) as unknown[]);
}

class KeptRevocations implements Revocations {
  readonly isRevoked: RevocationList['isRevoked'];
  readonly #list: RevocationList;
  readonly #file: RevocationFile;
  readonly #components: RevocationsComponents;
  readonly #options: RevocationsOptions;
  readonly #strangers: SenderLimiter;
  /** The stored revocations that are on the `security` channel and, with Kafka, in the topic. */
  readonly #published = new WeakSet<VerifiedRevocation>();
  readonly #listeners: (() => void)[] = [];
  readonly #publishListeners: ((revocation: JsonValue) => void)[] = [];
  #channels: Channels | undefined;
  #log: RevocationLog | undefined;

  constructor(
    list: RevocationList,
    file: RevocationFile,
    components: RevocationsComponents,
    options: RevocationsOptions,
  ) {
    this.#list = list;
    this.isRevoked = list.isRevoked;
    this.#file = file;
    this.#components = components;
    this.#options = options;
    this.#strangers = createSenderLimiter(components.clock, STRANGERS);
  }

  get complete(): boolean {
    return this.#log?.ready ?? true;
  }

  async whenComplete(): Promise<void> {
    await this.#log?.whenReady();
  }

  async publish(revocation: ParamsOf<'revokeToken'>, sender: string): Promise<{ readonly id: string }> {
    const { by } = revocation;
    const known = this.#options.trustedIssuers.includes(by) || this.#components.issuers.has(by);
    if (!known) this.#strangers.take(sender);
    const verified = verifyRevocation(revocation);
    const { topic, subject } = verified;
    // The same for each repetition, whichever node answers it.
    const id = uuidV5(`esdb-gater-revoke/${topic}/${by}/${subject}`);
    await this.#take(revocation as unknown as JsonValue, sender);
    const kept = this.#list.find(by, subject);
    // A revocation without effect is neither stored nor published.
    if (kept === undefined || this.#published.has(kept)) return { id };
    const message = sign(revocation, { secret: this.#options.secret, channel: CHANNEL, topic });
    const channels = this.#channels;
    if (channels === undefined) throw new GaterError('unavailable', 'the channels are not open yet');
    await Promise.all([
      channels.publish({ channel: CHANNEL, topic, id, message: message as unknown as JsonValue }),
      this.#log?.append(verified.revocation),
    ]);
    this.#published.add(kept);
    return { id };
  }

  close(): Promise<void> {
    return this.#file.close();
  }

  async follow(channels: Channels, kafka?: Pick<KafkaBroker, 'openLog'>): Promise<() => void> {
    const { clock, logger } = this.#components;
    this.#channels = channels;
    const subscriber = channels.connect({
      sink: {
        write: (deliveries) => this.#received(deliveries),
        bufferedBytes: () => 0,
        overflow: () => logger.error({}, 'lost revocations of the security channel: they came too fast'),
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
      known: () => this.known(),
    });
    this.#log = log;
    void this.#subscribeRecent(subscriber, ending.signal);
    return () => {
      ending.abort();
      subscriber.close();
      log.close();
    };
  }

  /**
   * Reads revocations that were published on the channel while no gateway ran that could have written them to the
   * topic.
   */
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
      onFailure: (error) => logger.debug({ err: error }, 'cannot follow the revocations yet, trying again'),
    });
  }

  onRevoked(listener: () => void): void {
    this.#listeners.push(listener);
  }

  onPublished(listener: (revocation: JsonValue) => void): void {
    this.#publishListeners.push(listener);
  }

  known(): readonly JsonValue[] {
    return this.#list.toJSON().map(({ revocation }) => revocation);
  }

  receive(revocation: JsonValue): void {
    this.#takeLater(revocation, {});
  }

  #received(deliveries: readonly Delivery[]): void {
    for (const { notice } of deliveries) {
      if (notice.method !== 'message' || !TOPICS.includes(notice.params.topic)) continue;
      this.#takeLater(notice.params.message, { id: notice.params.id });
      this.#log?.complete();
    }
  }

  #takeLater(revocation: JsonValue, fields: object): void {
    this.#takePublished(revocation).catch((error: unknown) => {
      this.#components.logger.warn({ err: error, ...fields }, 'cannot store a received revocation');
    });
  }

  async #takePublished(revocation: JsonValue): Promise<void> {
    const { by, subject } = verifyRevocation(revocation);
    await this.#take(revocation);
    const kept = this.#list.find(by, subject);
    if (kept !== undefined) this.#published.add(kept);
  }

  /** Applies a revocation at once. Resolves when it is on disk, also when it was known before. */
  async #take(revocation: JsonValue, sender?: string): Promise<void> {
    const added = this.#list.add(revocation, sender);
    if (added !== undefined) {
      this.#file.add({ revocation: added.revocation, addedAt: this.#components.clock.now() });
      for (const listener of this.#listeners) listener();
      if (sender !== undefined) for (const listener of this.#publishListeners) listener(added.revocation);
    }
    await this.#file.flush();
  }
}
