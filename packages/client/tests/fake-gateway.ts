import { createPeer, type Peer, topicMatches } from '@esdb-gater/protocol';
import {
  type ChannelMessage,
  GaterError,
  invalidArgument,
  type JsonValue,
  type SubscribeFrom,
  type Transport,
  type TransportHandlers,
} from '@esdb-gater/types';
import type { OpenSocket } from '../src/socket/socket.ts';

interface FakeSubscription {
  readonly channel: string;
  readonly topic: string;
  live: boolean;
  /** The index of the next message of the channel. */
  next: number;
}

/** One end of an in-memory wire. Frames take a turn of the event loop, and are lost when the wire is cut. */
class WireEnd implements Transport {
  other: WireEnd | undefined;
  #handlers: TransportHandlers | undefined;
  #inbox: string[] = [];
  #scheduled = false;
  #open = true;

  send(text: string): void {
    if (this.#open) this.other?.take(text);
  }

  close(code: number, reason: string): void {
    this.cut(code, reason);
  }

  receive(handlers: TransportHandlers): void {
    this.#handlers = handlers;
    this.#schedule();
  }

  take(text: string): void {
    this.#inbox.push(text);
    this.#schedule();
  }

  /** Closes both ends at once. Frames in flight are lost. */
  cut(code: number, reason = ''): void {
    for (const end of [this, this.other]) {
      if (end === undefined || !end.#open) continue;
      end.#open = false;
      end.#inbox = [];
      setImmediate(() => end.#handlers?.closed(code, reason));
    }
  }

  #schedule(): void {
    if (this.#scheduled || this.#handlers === undefined) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      // All at once, as a socket delivers the frames of one packet.
      for (const text of this.#inbox.splice(0)) this.#handlers?.message(text);
    });
  }
}

class FakeConnection {
  readonly subscriptions = new Map<string, FakeSubscription>();
  readonly peer: Peer;
  readonly wire: WireEnd;
  readonly token: string | undefined;

  constructor(gateway: FakeGateway, wire: WireEnd, token: string | undefined) {
    this.wire = wire;
    this.token = token;
    this.peer = createPeer(wire, {
      handle: (method, params, context) =>
        gateway.answer(this, method, params as Record<string, JsonValue>, (run) => context.afterAnswer(run)),
    });
    void this.peer.closed.then(() => gateway.connections.delete(this));
  }
}

type Answer = (params: Record<string, JsonValue>, connection: FakeConnection) => unknown;

/**
 * A gateway for tests: channels with a history, subscriptions that replay while live messages continue, and
 * connections that can be cut. The test puts the answers of other methods into `answers`.
 */
export class FakeGateway {
  readonly connections = new Set<FakeConnection>();
  readonly answers = new Map<string, Answer>();
  readonly calls: { readonly method: string; readonly params: Record<string, JsonValue> }[] = [];
  readonly log = new Map<string, ChannelMessage[]>();
  /** Messages before this index have expired. */
  historyFrom = 0;
  /** How many connections were opened. */
  opened = 0;
  /** Errors of the next attempts to connect. */
  readonly refusals: unknown[] = [];
  /** How many messages a replay sends in one turn. */
  replayStep = 3;
  protocol = 'esdb-gater.v1';

  readonly openSocket: OpenSocket = async (_url, { signal, token }) => {
    signal.throwIfAborted();
    await new Promise((resolve) => setImmediate(resolve));
    this.opened++;
    const refusal = this.refusals.shift();
    if (refusal !== undefined) throw refusal;
    const client = new WireEnd();
    const server = new WireEnd();
    client.other = server;
    server.other = client;
    const connection = new FakeConnection(this, server, token);
    this.connections.add(connection);
    connection.peer.notify('hello', {
      gatewayDid: 'did:key:gateway',
      nodeId: 'node',
      version: '0.0.0',
      nonce: `nonce-${this.opened}`,
      capabilities: 'optional',
      methods: ['subscribe', 'unsubscribe', ...this.answers.keys()],
    });
    return { transport: client, protocol: this.protocol, authorized: token !== undefined };
  };

  publish(channel: string, topic: string, message: JsonValue = null): ChannelMessage {
    const log = this.#logOf(channel);
    const position = `p${log.length + 1}`;
    const published = { channel, topic, id: `m${log.length}`, time: '', position, message } as ChannelMessage;
    log.push(published);
    for (const connection of this.connections) {
      const receivers = [...connection.subscriptions.values()].filter(
        (one) => one.channel === channel && one.live && topicMatches(one.topic, topic),
      );
      if (receivers.length > 0) connection.peer.notify('message', published);
    }
    return published;
  }

  /** Cuts every connection. Frames in flight are lost. */
  cut(code = 1006): void {
    for (const connection of this.connections) connection.wire.cut(code);
    this.connections.clear();
  }

  answer(
    connection: FakeConnection,
    method: string,
    params: Record<string, JsonValue>,
    afterAnswer: (run: () => void) => void,
  ): unknown {
    this.calls.push({ method, params });
    const own = this.answers.get(method);
    if (own !== undefined) return own(params, connection);
    const { channel, topic } = params as { readonly channel: string; readonly topic: string };
    const key = `${channel} ${topic}`;
    switch (method) {
      case 'subscribe': {
        const from = (params['from'] ?? 'latest') as SubscribeFrom;
        const subscription = { channel, topic, live: from === 'latest', next: this.#resolve(channel, from) };
        connection.subscriptions.set(key, subscription);
        if (!subscription.live) afterAnswer(() => this.#replay(connection, key, subscription));
        return { position: `p${subscription.next}` };
      }
      case 'unsubscribe':
        return { removed: connection.subscriptions.delete(key) };
      default:
        throw new GaterError('not_supported', `${method} has no answer in this test`);
    }
  }

  #logOf(channel: string): ChannelMessage[] {
    const log = this.log.get(channel) ?? [];
    this.log.set(channel, log);
    return log;
  }

  #resolve(channel: string, from: SubscribeFrom): number {
    if (from === 'latest') return this.#logOf(channel).length;
    if (from === 'earliest' || !('position' in from)) return this.historyFrom;
    const next = Number(from.position.slice(1));
    if (next >= this.historyFrom) return next;
    throw invalidArgument('position_lost', 'the position has expired', {
      oldest: `p${this.historyFrom}`,
    });
  }

  #replay(connection: FakeConnection, key: string, subscription: FakeSubscription): void {
    if (connection.subscriptions.get(key) !== subscription) return;
    const log = this.#logOf(subscription.channel);
    for (let sent = 0; sent < this.replayStep; subscription.next++) {
      const message = log[subscription.next];
      if (message === undefined) {
        const { channel, topic } = subscription;
        subscription.live = true;
        connection.peer.notify('replayed', { channel, topic, position: `p${log.length}` });
        return;
      }
      if (!topicMatches(subscription.topic, message.topic)) continue;
      connection.peer.notify('message', { ...message, replayFor: subscription.topic });
      sent++;
    }
    setImmediate(() => this.#replay(connection, key, subscription));
  }
}

/** Waits for some turns of the event loop. */
export async function turns(count = 1): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
}
