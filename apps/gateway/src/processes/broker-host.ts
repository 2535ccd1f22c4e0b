import { JSON_DEPTH, onNextTurn } from '@esdb-gater/primitives';
import { createPeer, encodeNotification, type Peer, type PeerContext } from '@esdb-gater/protocol';
import {
  type Broker,
  type BrokerRecord,
  CHANNEL_NAMES,
  type ChannelName,
  GaterError,
  type Logger,
} from '@esdb-gater/types';
import {
  type AttachResult,
  type BrokerCalls,
  CANCEL_READ,
  type CancelReadNotice,
  MAX_LINE_BYTES,
  RECORDS,
  type RecordsNotice,
} from './broker-calls.ts';
import type { LineTransport } from './line-transport.ts';
import { readPage } from './read-page.ts';

export interface BrokerHostComponents {
  /** The broker of this process. Nobody else may tail it. */
  readonly broker: Broker;
  readonly logger: Logger;
}

/** Shares the broker of this process with the other processes of the gateway. */
export interface BrokerHost {
  /** The broker for this process. Accepts a record once all processes that read were sent it. */
  readonly broker: Broker;
  /** Serves another process until its connection ends. */
  serve(transport: LineTransport): void;
}

/** Unsent bytes at which a process that does not read is cut off. It connects again, and reads on from the history. */
const MAX_UNSENT_BYTES = 67_108_864;

/** UTF-16 units of messages after which a notification of records is sent; one message may go beyond. */
const MAX_NOTICE_UNITS = 4_194_304;

/** Calls of one process in flight. */
const MAX_IN_FLIGHT = 16_384;

export function createBrokerHost(components: BrokerHostComponents): BrokerHost {
  return new SharingHost(components);
}

type Handler = (batch: readonly BrokerRecord[]) => void;

class SharingHost implements BrokerHost {
  readonly broker: Broker;
  readonly #broker: Broker;
  readonly #logger: Logger;
  readonly #handlers = new Map<ChannelName, Handler>();
  /** The processes that get records. */
  readonly #readers = new Map<Peer, LineTransport>();
  readonly #connections = new Set<LineTransport>();
  /** Records of this turn that were not sent to the readers yet. */
  readonly #pending = new Map<ChannelName, BrokerRecord[]>();
  /** Resolves when what is pending was sent; undefined while nothing is. */
  #sent: Promise<void> | undefined;
  readonly #stops: readonly (() => void)[];

  constructor({ broker, logger }: BrokerHostComponents) {
    this.#broker = broker;
    this.#logger = logger;
    this.#stops = CHANNEL_NAMES.map((channel) =>
      broker.tail(channel, (batch) => this.#received(channel, batch)),
    );
    this.broker = {
      append: async (channel, record, options) => {
        const accepted = await broker.append(channel, record, options);
        // Fed events are in their store, from where readers that missed them read them.
        if (record.fed === undefined) await this.#sent;
        return accepted;
      },
      tail: (channel, handler) => {
        this.#handlers.set(channel, handler);
        return () => {
          if (this.#handlers.get(channel) === handler) this.#handlers.delete(channel);
        };
      },
      position: (channel) => broker.position(channel),
      resolve: (channel, from) => broker.resolve(channel, from),
      read: (channel, after, until, options) => broker.read(channel, after, until, options),
      caughtUp: (channel, after, until, topic) => broker.caughtUp(channel, after, until, topic),
      tailPosition: (channel) => broker.tailPosition(channel),
      health: () => broker.health(),
      close: () => this.#close(),
    };
  }

  serve(transport: LineTransport): void {
    const reads = new Map<number, AbortController>();
    const peer: Peer = createPeer(
      transport,
      {
        handle: (method, params, context) => this.#handle(peer, transport, reads, method, params, context),
        onNotification: (method, params) => {
          if (method !== CANCEL_READ) return false;
          reads.get((params as CancelReadNotice).readId)?.abort();
          return true;
        },
        logger: this.#logger,
      },
      { maxDepth: JSON_DEPTH.received, frameBytes: MAX_LINE_BYTES, maxInFlight: MAX_IN_FLIGHT },
    );
    this.#connections.add(transport);
    void peer.closed.then(() => {
      this.#connections.delete(transport);
      this.#readers.delete(peer);
      for (const read of reads.values()) read.abort();
    });
  }

  #handle(
    peer: Peer,
    transport: LineTransport,
    reads: Map<number, AbortController>,
    method: string,
    params: unknown,
    context: PeerContext,
  ): Promise<unknown> {
    switch (method as keyof BrokerCalls) {
      case 'attach':
        return this.#attach(peer, transport);
      case 'append': {
        const { channel, record } = params as BrokerCalls['append']['params'];
        return this.broker.append(channel, record);
      }
      case 'position': {
        const { channel } = params as BrokerCalls['position']['params'];
        return this.#position(channel);
      }
      case 'resolve': {
        const { channel, from } = params as BrokerCalls['resolve']['params'];
        return this.#broker.resolve(channel, from);
      }
      case 'read': {
        const { readId, ...read } = params as BrokerCalls['read']['params'];
        const abort = new AbortController();
        reads.set(readId, abort);
        const signal = AbortSignal.any([abort.signal, context.signal]);
        return readPage(this.#broker, { ...read, signal }).finally(() => reads.delete(readId));
      }
      default:
        throw new GaterError('not_supported', `${method} is not a call of the broker`);
    }
  }

  /** Sends a process all records from now on. */
  async #attach(peer: Peer, transport: LineTransport): Promise<AttachResult> {
    const known = await Promise.all(CHANNEL_NAMES.map((channel) => this.#broker.position(channel)));
    // From here in one turn: what is pending is before these positions.
    this.#send();
    const positions = CHANNEL_NAMES.map((channel, index) => [
      channel,
      this.#broker.tailPosition(channel) ?? known[index],
    ]);
    this.#readers.set(peer, transport);
    return { positions: Object.fromEntries(positions) as AttachResult['positions'] };
  }

  async #position(channel: ChannelName): Promise<{ readonly position: string }> {
    const known = await this.#broker.position(channel);
    this.#send();
    return { position: this.#broker.tailPosition(channel) ?? known };
  }

  #received(channel: ChannelName, batch: readonly BrokerRecord[]): void {
    this.#handlers.get(channel)?.(batch);
    if (this.#readers.size === 0) return;
    const pending = this.#pending.get(channel);
    if (pending === undefined) this.#pending.set(channel, [...batch]);
    else pending.push(...batch);
    this.#sent ??= new Promise((resolve) => {
      onNextTurn(() => {
        this.#send();
        resolve();
      });
    });
  }

  /** Sends the readers what is pending. */
  #send(): void {
    this.#sent = undefined;
    for (const [channel, records] of this.#pending) {
      for (const notice of this.#noticesOf(channel, records)) this.#broadcast(notice);
    }
    this.#pending.clear();
  }

  *#noticesOf(channel: ChannelName, records: readonly BrokerRecord[]): Generator<string> {
    let texts: string[] = [];
    let units = 0;
    for (const record of records) {
      const text = encodeRecord(record);
      if (units > 0 && units + text.length > MAX_NOTICE_UNITS) {
        yield encodeNotice(channel, texts, undefined);
        texts = [];
        units = 0;
      }
      texts.push(text);
      units += text.length;
    }
    yield encodeNotice(channel, texts, this.#broker.tailPosition(channel));
  }

  #broadcast(text: string): void {
    for (const [peer, transport] of this.#readers) {
      if (transport.unsentBytes() > MAX_UNSENT_BYTES) {
        this.#logger.warn({ unsentBytes: transport.unsentBytes() }, 'cut off a process that does not read');
        this.#readers.delete(peer);
        transport.destroy();
      } else peer.send(text);
    }
  }

  async #close(): Promise<void> {
    for (const stop of this.#stops) stop();
    this.#send();
    for (const transport of this.#connections) transport.close(1001, 'the gateway is stopping');
    await this.#broker.close();
  }
}

/** Encodes what readers of a record use. Its message is not encoded again where the broker has done so. */
function encodeRecord(record: BrokerRecord): string {
  const { id, topic, message, messageText = JSON.stringify(message), time, position } = record;
  const { traceparent, tracestate } = record;
  const others = JSON.stringify({ id, topic, time, position, traceparent, tracestate });
  return `${others.slice(0, -1)},"message":${messageText}}`;
}

function encodeNotice(
  channel: ChannelName,
  records: readonly string[],
  position: RecordsNotice['position'],
): string {
  const text = encodeNotification(RECORDS, {
    channel,
    ...(position === undefined ? {} : { position }),
    records: [],
  });
  // The records are encoded once, whatever notification they go into.
  return `${text.slice(0, text.lastIndexOf('[]'))}[${records.join(',')}]}}`;
}
