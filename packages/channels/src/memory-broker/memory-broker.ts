import { randomBytes } from 'node:crypto';
import { requireInteger } from '@esdb-gater/primitives';
import {
  type Broker,
  type BrokerHealth,
  type BrokerRecord,
  CHANNEL_DEFAULTS,
  CHANNEL_NAMES,
  type ChannelName,
  type Clock,
  type FeedReplaySource,
  GaterError,
  invalidArgument,
  type Logger,
  type OutgoingRecord,
  type ReplayFrom,
  type ReplayOptions,
  silentLogger,
  systemClock,
} from '@esdb-gater/types';
import type { ChannelLog, ResolvedFrom } from './channel-log.ts';
import type { EpochLog } from './epoch-log.ts';
import { createHistoryLog } from './history-log.ts';
import { createStoreBackedLog } from './store-backed-log.ts';

export interface MemoryBrokerOptions {
  /** Maximum number of messages in each channel's history. @default 1 000, alerts 100, security 1 000, lifecycle 500 */
  readonly history?: Partial<Readonly<Record<ChannelName, number>>>;
  /** Maximum bytes of each channel's history, as JSON text. @default 32 MiB */
  readonly historyBytes?: number;
  /** Where the events of feeds are read again. @default events are kept in the history like other messages */
  readonly replaySource?: FeedReplaySource;
  /** Stores the runs of the broker. @default every run counts as the first, and earlier messages as lost */
  readonly epochs?: EpochLog;
  readonly clock?: Clock;
  readonly logger?: Logger;
}

/** The default of `historyBytes`. */
const HISTORY_BYTES = 33_554_432;

type Handler = (batch: readonly BrokerRecord[]) => void;

/**
 * Creates the broker inside the process. `append` hands the record to the tail before it returns, so the order is that
 * of the calls. After a restart only the stores' part of positions on `events` stays valid.
 *
 * @throws `invalid_argument` (reason `broker_option`)
 */
export function createMemoryBroker(options: MemoryBrokerOptions = {}): Broker {
  return new MemoryBroker(options);
}

class MemoryBroker implements Broker {
  readonly #logger: Logger;
  readonly #logs: ReadonlyMap<ChannelName, ChannelLog>;
  readonly #tails = new Map<ChannelName, Handler>();
  readonly #epochs: EpochLog | undefined;
  readonly #life: { readonly epoch: string; readonly startedMs: number };
  /** True when the saved run records that clients published on `events`; a promise while that is being saved. */
  #marked: boolean | Promise<void> = false;
  #closed = false;

  constructor({
    history = {},
    historyBytes = HISTORY_BYTES,
    replaySource,
    epochs,
    clock = systemClock,
    logger = silentLogger,
  }: MemoryBrokerOptions) {
    this.#logger = logger;
    this.#epochs = epochs;
    const startedMs = Math.floor(clock.now());
    const epoch = startedMs.toString(36) + randomBytes(4).readUInt32LE().toString(36);
    this.#life = { epoch, startedMs };
    const bytes = requireInteger('historyBytes', historyBytes, { reason: 'broker_option', min: 1 });
    const earlier = epochs?.earlier ?? [];
    this.#logs = new Map(
      CHANNEL_NAMES.map((channel) => {
        const given = history[channel] ?? CHANNEL_DEFAULTS[channel].history;
        const kept = requireInteger(`history.${channel}`, given, { reason: 'broker_option', min: 0 });
        const options = { channel, epoch, history: kept, historyBytes: bytes, startedMs };
        const fed = channel === 'events' ? replaySource : undefined;
        const log =
          fed === undefined
            ? createHistoryLog(options)
            : createStoreBackedLog({ source: fed, clock, logger, earlier }, options);
        return [channel, log];
      }),
    );
    void this.#saveLife(0);
  }

  async append(
    channel: ChannelName,
    record: OutgoingRecord,
    options: { readonly signal?: AbortSignal } = {},
  ): Promise<{ readonly position?: string }> {
    if (this.#closed) throw new GaterError('unavailable', 'the in-process broker is closed');
    if (options.signal?.aborted === true) {
      throw new GaterError('timeout', 'the call ended before the message was accepted');
    }
    const kept = this.#log(channel).append(record);
    const handler = this.#tails.get(channel);
    if (handler !== undefined) this.#handOver(handler, kept);
    // Feeds need no position, and append most.
    if (record.fed !== undefined) return {};
    if (channel === 'events' && this.#marked !== true) await this.#mark();
    return { position: kept.position };
  }

  tail(channel: ChannelName, handler: Handler): () => void {
    if (this.#tails.has(channel)) {
      throw invalidArgument('tail', `a channel must have at most one tail, got another one for ${channel}`);
    }
    this.#tails.set(channel, handler);
    return () => {
      if (this.#tails.get(channel) === handler) this.#tails.delete(channel);
    };
  }

  position(channel: ChannelName): Promise<string> {
    return this.#log(channel).position();
  }

  resolve(channel: ChannelName, from: ReplayFrom): Promise<ResolvedFrom> {
    return this.#log(channel).resolve(from);
  }

  read(
    channel: ChannelName,
    after: string,
    until: string,
    options: ReplayOptions = {},
  ): AsyncIterable<readonly BrokerRecord[]> {
    return this.#log(channel).read(after, until, options);
  }

  caughtUp(channel: ChannelName, after: string, until: string, topic?: string): boolean {
    return this.#log(channel).caughtUp(after, until, topic);
  }

  tailPosition(channel: ChannelName): string | undefined {
    return this.#log(channel).tailPosition();
  }

  health(): BrokerHealth {
    if (this.#closed) return { status: 'unhealthy', message: 'the in-process broker is closed' };
    const message = this.#log('events').trouble?.();
    return message === undefined ? { status: 'healthy' } : { status: 'degraded', message };
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#tails.clear();
    await this.#saveLife(this.#log('events').published);
  }

  /** Saves, before the first answer, that a client published on `events`, since a crash could not save it later. */
  async #mark(): Promise<void> {
    if (this.#marked === false) {
      this.#marked = this.#saveLife(null).then((saved) => {
        this.#marked = saved;
      });
    }
    await this.#marked;
  }

  /** Returns false when it could not be saved. */
  async #saveLife(published: number | null): Promise<boolean> {
    try {
      await this.#epochs?.save({ ...this.#life, published });
      return true;
    } catch (error) {
      this.#logger.warn({ err: error }, 'cannot save whether clients published on `events`');
      return false;
    }
  }

  #log(channel: ChannelName): ChannelLog {
    const log = this.#logs.get(channel);
    if (log === undefined)
      throw new GaterError('unknown_channel', `the channel ${String(channel)} does not exist`);
    return log;
  }

  #handOver(handler: Handler, record: BrokerRecord): void {
    try {
      handler([record]);
    } catch (error) {
      // The message is accepted, even if a reader fails.
      this.#logger.error({ err: error }, 'the tail of a channel failed');
    }
  }
}
