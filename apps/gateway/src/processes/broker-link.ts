import { reachesPosition } from '@esdb-gater/channels';
import { InFlight, sleep, utf8Bytes, waitFor } from '@esdb-gater/primitives';
import {
  type Broker,
  type BrokerHealth,
  type BrokerRecord,
  CHANNEL_NAMES,
  type ChannelName,
  type Clock,
  GaterError,
  invalidArgument,
  type Logger,
  type OutgoingRecord,
  type ReplayFrom,
  type ReplayOptions,
} from '@esdb-gater/types';
import {
  type AttachResult,
  type BrokerCalls,
  CANCEL_READ,
  type ReadPage,
  type RecordsNotice,
} from './broker-calls.ts';
import { type BrokerConnection, createBrokerConnection } from './broker-connection.ts';
import type { LineTransport } from './line-transport.ts';

export interface BrokerLinkComponents {
  /** Connects to the process that has the broker. */
  readonly connect: (signal: AbortSignal) => Promise<LineTransport>;
  /** Returns false when no topic of the store's events matches a pattern. */
  readonly canMatch: (storeId: string, topic: string) => boolean;
  /** Is called when this process may have missed records: its subscribers must resume from their positions. */
  readonly onMissed: () => void;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface BrokerLinkOptions {
  /** How long an append may take, the wait for a connection included. @default 8 000 */
  readonly appendTimeoutMs?: number;
}

const APPEND_TIMEOUT_MS = 8_000;

/** How long a position is waited for before the last known one is returned. */
const POSITION_TIMEOUT_MS = 2_000;

/** The delay between attempts to connect. */
const CONNECT_PAUSE_MS = 50;

/** Reads in flight; each holds a page in both processes. */
const MAX_READS = 16;

/** Records that are handed to a reader together. */
const READ_BATCH = 256;

/** Bytes of messages that may wait for a connection, or to be sent. */
const MAX_WAITING_BYTES = 33_554_432;

/**
 * Creates the broker of a process that has none of its own: it passes everything to the one of another process, and
 * connects again whenever the connection breaks.
 */
export function createBrokerLink(components: BrokerLinkComponents, options: BrokerLinkOptions = {}): Broker {
  return new LinkedBroker(components, options.appendTimeoutMs ?? APPEND_TIMEOUT_MS);
}

/** A channel as this process has received it. */
interface Tail {
  handler: ((batch: readonly BrokerRecord[]) => void) | undefined;
  /** Behind everything that was handed over; undefined while the position is not known. */
  position: string | undefined;
  /** The last position that was known. */
  lastPosition: string | undefined;
}

class LinkedBroker implements Broker {
  readonly #components: BrokerLinkComponents;
  readonly #appendTimeoutMs: number;
  readonly #tails: ReadonlyMap<ChannelName, Tail> = new Map(
    CHANNEL_NAMES.map((channel) => [
      channel,
      { handler: undefined, position: undefined, lastPosition: undefined },
    ]),
  );
  readonly #reads = new InFlight(MAX_READS);
  readonly #closing = new AbortController();
  readonly #running: Promise<void>;
  /** Resolves to the next connection, or to the present one. */
  #next = Promise.withResolvers<BrokerConnection>();
  #connection: BrokerConnection | undefined;
  #waitingBytes = 0;
  #lastReadId = 0;

  constructor(components: BrokerLinkComponents, appendTimeoutMs: number) {
    this.#components = components;
    this.#appendTimeoutMs = appendTimeoutMs;
    this.#running = this.#stayConnected();
  }

  async append(
    channel: ChannelName,
    record: OutgoingRecord,
    options: { readonly signal?: AbortSignal } = {},
  ): Promise<{ readonly position?: string }> {
    if (isAborted(options.signal)) {
      throw new GaterError('timeout', 'the call ended before the message was accepted');
    }
    const { clock } = this.#components;
    const startedAt = clock.monotonic();
    const connection = this.#connection ?? (await this.#waitWith(record, options.signal));
    if (connection.unsentBytes() > MAX_WAITING_BYTES) throw tooManyWait();
    const timeoutMs = this.#appendTimeoutMs - (clock.monotonic() - startedAt);
    try {
      return await connection.call('append', { channel, record }, { ...options, timeoutMs });
    } catch (error) {
      if (isAborted(options.signal)) throw error;
      // As with Kafka: a message that was not answered in time may be published again, under the same id.
      throw GaterError.is(error, 'timeout') ? unreachable('did not answer in time', error) : error;
    }
  }

  tail(channel: ChannelName, handler: (batch: readonly BrokerRecord[]) => void): () => void {
    const tail = this.#tail(channel);
    if (tail.handler !== undefined) {
      throw invalidArgument('tail', `a channel must have at most one tail, got another one for ${channel}`);
    }
    tail.handler = handler;
    return () => {
      if (tail.handler === handler) tail.handler = undefined;
    };
  }

  async position(channel: ChannelName): Promise<string> {
    const tail = this.#tail(channel);
    const limits = { timeoutMs: POSITION_TIMEOUT_MS, clock: this.#components.clock };
    try {
      const connection = await waitFor(this.#next.promise, limits);
      // Behind all records of the call's time, and before those that follow.
      const onResult = ({ position }: { readonly position: string }): void => moveTo(tail, position);
      return (await connection.call('position', { channel }, { ...limits, onResult })).position;
    } catch (error) {
      if (tail.lastPosition !== undefined && !this.#closing.signal.aborted) return tail.lastPosition;
      throw unreachable('did not tell a position', error);
    }
  }

  async resolve(
    channel: ChannelName,
    from: ReplayFrom,
  ): Promise<{ readonly position: string; readonly lost?: boolean }> {
    const timeoutMs = this.#appendTimeoutMs;
    const connection = await this.#connected(undefined);
    return connection.call('resolve', { channel, from }, { timeoutMs });
  }

  async *read(
    channel: ChannelName,
    after: string,
    until: string,
    { signal, topic, onReached }: ReplayOptions = {},
  ): AsyncGenerator<readonly BrokerRecord[]> {
    const wanted = topic === undefined ? { channel, until } : { channel, until, topic };
    let at = after;
    for (let done = false; !done && !isAborted(signal); ) {
      const page: ReadPage = await this.#reads.run(
        () => this.#readPage({ ...wanted, after: at }, signal),
        signal,
      );
      for (let start = 0; start < page.records.length && !isAborted(signal); start += READ_BATCH) {
        yield page.records.slice(start, start + READ_BATCH);
      }
      if (isAborted(signal)) return;
      at = page.reached ?? page.records.at(-1)?.position ?? at;
      if (page.reached !== undefined) onReached?.(page.reached);
      done = page.done;
    }
  }

  caughtUp(channel: ChannelName, after: string, until: string, topic?: string): boolean {
    const { canMatch } = this.#components;
    const isWanted = (storeId: string): boolean => topic === undefined || canMatch(storeId, topic);
    return reachesPosition(channel, after, until, isWanted);
  }

  tailPosition(channel: ChannelName): string | undefined {
    return this.#tail(channel).position;
  }

  health(): BrokerHealth {
    return this.#connection === undefined
      ? { status: 'unhealthy', message: 'cannot reach the process that has the broker' }
      : { status: 'healthy' };
  }

  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return;
    const reason = new GaterError('unavailable', 'the broker is closed');
    this.#closing.abort(reason);
    for (const tail of this.#tails.values()) tail.handler = undefined;
    this.#connection?.close();
    await this.#running;
    this.#next.promise.catch(() => undefined);
    this.#next.reject(reason);
  }

  async #stayConnected(): Promise<void> {
    const { clock, logger } = this.#components;
    const { signal } = this.#closing;
    while (!signal.aborted) {
      try {
        await this.#connectOnce();
      } catch (error) {
        if (!signal.aborted) logger.debug({ err: error }, 'cannot reach the process that has the broker');
      }
      await sleep(CONNECT_PAUSE_MS, clock, signal, { unref: true }).catch(() => undefined);
    }
  }

  /** Resolves when the connection has ended. */
  async #connectOnce(): Promise<void> {
    const { connect, clock, logger } = this.#components;
    const { signal } = this.#closing;
    const transport = await connect(signal);
    const onRecords = (notice: RecordsNotice): void => this.#received(notice);
    const connection = createBrokerConnection(transport, { onRecords, clock, logger });
    const stop = (): void => transport.destroy();
    signal.addEventListener('abort', stop);
    try {
      // In the same turn: the next message may be records that follow these positions.
      await connection.call('attach', {}, { onResult: (result) => this.#attached(connection, result) });
      await connection.closed;
    } finally {
      signal.removeEventListener('abort', stop);
      transport.destroy();
      if (this.#connection !== undefined) this.#next = Promise.withResolvers();
      this.#connection = undefined;
    }
  }

  #attached(connection: BrokerConnection, { positions }: AttachResult): void {
    let isMissed = false;
    for (const [channel, tail] of this.#tails) {
      const { lastPosition } = tail;
      const position = positions[channel];
      if (lastPosition !== undefined && !reachesPosition(channel, lastPosition, position)) isMissed = true;
      moveTo(tail, position);
    }
    this.#connection = connection;
    this.#next.resolve(connection);
    if (isMissed) this.#components.onMissed();
  }

  #received({ channel, records, position }: RecordsNotice): void {
    const tail = this.#tail(channel);
    // First, since readers compare their positions with it.
    moveTo(tail, position);
    try {
      tail.handler?.(records);
    } catch (error) {
      this.#components.logger.error({ err: error }, 'the tail of a channel failed');
    }
  }

  /** Waits for a connection with a message, as long as there is room for it. */
  async #waitWith({ message }: OutgoingRecord, signal: AbortSignal | undefined): Promise<BrokerConnection> {
    const bytes = utf8Bytes(JSON.stringify(message));
    if (this.#waitingBytes + bytes > MAX_WAITING_BYTES) throw tooManyWait();
    this.#waitingBytes += bytes;
    try {
      return await this.#connected(signal);
    } finally {
      this.#waitingBytes -= bytes;
    }
  }

  /** @throws `unavailable` when there is no connection in time; the signal's reason */
  #connected(signal: AbortSignal | undefined): Promise<BrokerConnection> {
    const { clock } = this.#components;
    if (this.#closing.signal.aborted) return Promise.reject(this.#closing.signal.reason);
    if (this.#connection !== undefined) return Promise.resolve(this.#connection);
    return waitFor(this.#next.promise, {
      signal,
      timeoutMs: this.#appendTimeoutMs,
      timeoutError: (limitMs) => unreachable(`could not be reached within ${limitMs} ms`),
      clock,
    });
  }

  async #readPage(
    params: Omit<BrokerCalls['read']['params'], 'readId'>,
    signal: AbortSignal | undefined,
  ): Promise<ReadPage> {
    this.#lastReadId += 1;
    const readId = this.#lastReadId;
    const connection = await this.#connected(signal);
    try {
      const options = signal === undefined ? {} : { signal };
      return await connection.call('read', { ...params, readId }, options);
    } catch (error) {
      if (isAborted(signal)) connection.notify(CANCEL_READ, { readId });
      throw error;
    }
  }

  #tail(channel: ChannelName): Tail {
    const tail = this.#tails.get(channel);
    if (tail === undefined) {
      throw new GaterError('unknown_channel', `the channel ${String(channel)} does not exist`);
    }
    return tail;
  }
}

function isAborted(signal: AbortSignal | undefined): boolean {
  return signal?.aborted === true;
}

function moveTo(tail: Tail, position: string | undefined): void {
  tail.position = position;
  if (position !== undefined) tail.lastPosition = position;
}

function unreachable(what: string, cause?: unknown): GaterError {
  return new GaterError('unavailable', `the process that has the broker ${what}`, { cause });
}

function tooManyWait(): GaterError {
  return new GaterError('overloaded', 'too many messages wait for the process that has the broker');
}
