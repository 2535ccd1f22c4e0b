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
  GaterError,
  invalidArgument,
  type Logger,
  type OutgoingRecord,
  type ReplayFrom,
  silentLogger,
  systemClock,
} from '@esdb-gater/types';
import type { ChannelLog } from './channel-log.ts';
import type { FeedReplaySource } from './feed-replay-source.ts';
import { createHistoryLog } from './history-log.ts';
import { createStoreBackedLog } from './store-backed-log.ts';

export interface MemoryBrokerOptions {
  /** Messages that are kept of each channel. @default 1 000, alerts 100, security 1 000, lifecycle 500 */
  readonly history?: Partial<Readonly<Record<ChannelName, number>>>;
  /** Where the events that stores feed are read again. @default they are kept like any message */
  readonly replaySource?: FeedReplaySource;
  readonly clock?: Clock;
  readonly logger?: Logger;
}

type Handler = (batch: readonly BrokerRecord[]) => void;

/**
 * The broker inside the process. `append` hands the record to the tail before it returns, so order is that of
 * the calls. Nothing outlives the process but the stores' part of positions on `events`.
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
  #closed = false;

  constructor({
    history = {},
    replaySource,
    clock = systemClock,
    logger = silentLogger,
  }: MemoryBrokerOptions) {
    this.#logger = logger;
    const startedMs = clock.now();
    const epoch = Math.floor(startedMs).toString(36) + randomBytes(4).readUInt32LE().toString(36);
    this.#logs = new Map(
      CHANNEL_NAMES.map((channel) => {
        const given = history[channel] ?? CHANNEL_DEFAULTS[channel].history;
        const kept = requireInteger(`history.${channel}`, given, { reason: 'broker_option', min: 0 });
        const options = { channel, epoch, history: kept, startedMs };
        const fed = channel === 'events' ? replaySource : undefined;
        const log =
          fed === undefined
            ? createHistoryLog(options)
            : createStoreBackedLog({ source: fed, clock, logger }, options);
        return [channel, log];
      }),
    );
  }

  async append(
    channel: ChannelName,
    record: OutgoingRecord,
    options: { readonly signal?: AbortSignal } = {},
  ): Promise<{ readonly position?: string }> {
    if (this.#closed) throw new GaterError('unavailable', 'the in-process broker is closed');
    if (options.signal?.aborted === true) {
      throw new GaterError('timeout', 'the call had ended before the message was accepted');
    }
    const kept = this.#log(channel).append(record);
    const handler = this.#tails.get(channel);
    if (handler !== undefined) this.#handOver(handler, kept);
    // The feed asks for no position, and it is the one that appends most.
    return record.fed === undefined ? { position: kept.position } : {};
  }

  tail(channel: ChannelName, handler: Handler): () => void {
    if (this.#tails.has(channel)) {
      throw invalidArgument('tail', `the channel ${channel} has a tail already, expected at most one`);
    }
    this.#tails.set(channel, handler);
    return () => {
      if (this.#tails.get(channel) === handler) this.#tails.delete(channel);
    };
  }

  position(channel: ChannelName): Promise<string> {
    return this.#log(channel).position();
  }

  resolve(
    channel: ChannelName,
    from: ReplayFrom,
  ): Promise<{ readonly position: string; readonly lost?: boolean }> {
    return this.#log(channel).resolve(from);
  }

  read(
    channel: ChannelName,
    after: string,
    until: string,
    options: { readonly signal?: AbortSignal } = {},
  ): AsyncIterable<readonly BrokerRecord[]> {
    return this.#log(channel).read(after, until, options.signal);
  }

  caughtUp(channel: ChannelName, after: string, until: string): boolean {
    return this.#log(channel).caughtUp(after, until);
  }

  tailPosition(channel: ChannelName): string | undefined {
    return this.#log(channel).tailPosition();
  }

  health(): BrokerHealth {
    return this.#closed
      ? { status: 'unhealthy', message: 'the in-process broker is closed' }
      : { status: 'healthy' };
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#tails.clear();
  }

  #log(channel: ChannelName): ChannelLog {
    const log = this.#logs.get(channel);
    if (log === undefined) throw new GaterError('unknown_channel', `there is no channel ${String(channel)}`);
    return log;
  }

  #handOver(handler: Handler, record: BrokerRecord): void {
    try {
      handler([record]);
    } catch (error) {
      // The message is accepted, whatever its readers make of it.
      this.#logger.error({ err: error }, 'the tail of a channel failed');
    }
  }
}
