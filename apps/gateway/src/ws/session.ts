import { randomBytes } from 'node:crypto';
import {
  CLOSE_CODES,
  createPeer,
  type Hello,
  type ParamsOf,
  type Peer,
  type PeerContext,
  type PeerStats,
  type ResultOf,
  requirementsOf,
} from '@esdb-gater/protocol';
import {
  type ChannelSubscriber,
  type Channels,
  type Clock,
  type Delivery,
  GaterError,
  type Logger,
  type SubscribeParams,
  type SubscribeResult,
  type Timer,
} from '@esdb-gater/types';
import type { Authorizer } from '../access/authorizer.ts';
import type { Call, Caller } from '../access/caller.ts';
import type { GrantVerifier, VerifiedGrant } from '../access/grants.ts';
import { createLiveGrants, type LiveGrants } from '../access/live-grants.ts';
import type { TokenAuthenticator } from '../access/token-authenticator.ts';
import type { ConnectionMethods, Dispatcher } from '../calls/dispatcher.ts';
import type { ConnectionWorkers, WorkerHost } from '../calls/worker-host.ts';
import type { FrameWriter } from './frame-writer.ts';
import { joinDeliveries, messageEncoder } from './frames.ts';
import type { GatewaySocket } from './gateway-socket.ts';
import { createPageLimiter, type PageLimiter } from './page-limiter.ts';
import { SocketTransport } from './socket-transport.ts';

/** What all sessions of a gateway share. */
export interface SessionComponents {
  readonly dispatcher: Dispatcher;
  readonly authorizer: Authorizer;
  readonly grants: GrantVerifier;
  readonly channels: Channels;
  readonly workers: WorkerHost;
  readonly authenticator: TokenAuthenticator;
  readonly clock: Clock;
  readonly logger: Logger;
  /** The gateway closes a connection: called once for each, with the close code. */
  readonly onClosing: (code: number) => void;
}

export interface SessionOptions {
  /** `hello` without its nonce. */
  readonly hello: Omit<Hello, 'nonce'>;
  readonly inFlightPerConnection: number;
  readonly frameBytes: number;
  readonly queueBytes: number;
  readonly queueMessages: number;
  readonly authenticateMs: number;
}

/** Unsent bytes at which a connection is no longer read from, until the other side has taken some. */
const PAUSE_BYTES = 1_048_576;

/**
 * One WebSocket connection: its peer, its token, its subscriptions and the stores it serves. The dispatcher calls the
 * methods of the protocol that only a connection can serve.
 */
export class Session implements ConnectionMethods {
  readonly #shared: SessionComponents;
  readonly #options: SessionOptions;
  readonly #socket: GatewaySocket;
  readonly #writer: FrameWriter;
  readonly #caller: Caller;
  readonly #grants: LiveGrants;
  readonly #peer: Peer;
  readonly #pages: PageLimiter;
  readonly #nonce = randomBytes(24).toString('base64url');
  /** DIDs whose keys this connection has shown to hold. */
  #proved: readonly string[] = [];
  #subscriber: ChannelSubscriber | undefined;
  #workers: ConnectionWorkers | undefined;
  #authenticateTimer: Timer | undefined;
  #paused = false;
  #closing = false;
  /** Deliveries that wait for the answer of a batch in which a `subscribe` stood. */
  #held: Uint8Array[] | undefined;
  #heldBytes = 0;

  constructor(
    shared: SessionComponents,
    options: SessionOptions,
    socket: GatewaySocket,
    writer: FrameWriter,
    caller: Caller,
  ) {
    this.#shared = shared;
    this.#options = options;
    this.#socket = socket;
    this.#writer = writer;
    this.#caller = caller;
    this.#pages = createPageLimiter(() => writer.bufferedBytes());
    this.#grants = createLiveGrants(shared.clock, ({ code, reason }) => this.close(code, reason));
    this.#peer = createPeer(
      new SocketTransport(socket, writer),
      {
        handle: (method, params, context) => this.#handle(method, params, context),
        onNotification: (method, params) => this.#notified(method, params),
        logger: shared.logger,
        clock: shared.clock,
      },
      { maxInFlight: options.inFlightPerConnection, frameBytes: options.frameBytes },
    );
    void this.#peer.closed.then(() => this.#ended());
  }

  /** Says `hello`. `grant` is the token of the upgrade request. */
  begin(grant: VerifiedGrant | undefined): void {
    if (grant !== undefined) this.#grants.replace(grant);
    this.#peer.notify('hello', { ...this.#options.hello, nonce: this.#nonce } satisfies Hello);
    if (this.#shared.authorizer.mode !== 'required' || grant !== undefined) return;
    this.#authenticateTimer = this.#shared.clock.setTimer(
      () => this.close(CLOSE_CODES.authenticationTimeout, 'no token came in time'),
      this.#options.authenticateMs,
      { unref: true },
    );
  }

  /** The socket has room again. */
  drained(): void {
    if (this.#paused && this.#writer.bufferedBytes() < PAUSE_BYTES) {
      this.#paused = false;
      this.#socket.resume();
    }
    this.#pages.drained();
    this.#subscriber?.drained();
  }

  /** A revocation came. */
  recheckGrants(): void {
    this.#grants.recheck();
  }

  /** Writes what waits, then closes. */
  close(code: number, reason: string): void {
    if (!this.#closing) this.#shared.onClosing(code);
    this.#closing = true;
    // The answer to our close frame must be read.
    if (this.#paused) this.#socket.resume();
    this.#peer.close(code, reason);
  }

  stats(): PeerStats {
    return this.#peer.stats();
  }

  /** Bytes that the other side has not taken yet. */
  queuedBytes(): number {
    return this.#writer.bufferedBytes() + this.#heldBytes;
  }

  authenticate({ token, proof }: ParamsOf<'authenticate'>): ResultOf<'authenticate'> {
    const { grant, proved } = this.#shared.authenticator.authenticate({
      token,
      ...(proof === undefined ? {} : { proof }),
      nonce: this.#nonce,
      proved: this.#proved,
    });
    this.#proved = proved;
    this.#authenticateTimer?.cancel();
    this.#grants.replace(grant);
    return { audience: grant.audience, expiresAt: grant.expiresAt, att: grant.att };
  }

  async subscribe(params: SubscribeParams, call: Call): Promise<SubscribeResult> {
    this.#subscriber ??= this.#openSubscriber();
    const result = await this.#subscriber.subscribe(
      params,
      call.signal === undefined ? {} : { signal: call.signal },
    );
    this.#hold(`subscription ${params.channel} ${params.topic}`, 'subscribe', params, call);
    return result;
  }

  unsubscribe(params: ParamsOf<'unsubscribe'>): ResultOf<'unsubscribe'> {
    this.#grants.release(`subscription ${params.channel} ${params.topic}`);
    return this.#subscriber?.unsubscribe(params) ?? { removed: false };
  }

  registerWorker(params: ParamsOf<'registerWorker'>, call: Call): ResultOf<'registerWorker'> {
    this.#workers ??= this.#shared.workers.open(this.#peer, (storeId, workerId) =>
      this.#grants.release(`worker ${storeId} ${workerId}`),
    );
    const { grant, caller } = call;
    const holder = grant === undefined ? `address ${caller.address}` : `audience ${grant.audience}`;
    const registered = this.#workers.register(params, holder);
    this.#hold(`worker ${params.storeId} ${registered.workerId}`, 'registerWorker', params, call);
    return registered;
  }

  unregisterWorker(params: ParamsOf<'unregisterWorker'>): ResultOf<'unregisterWorker'> {
    const removed = this.#workers?.unregister(params) ?? [];
    for (const workerId of removed) this.#grants.release(`worker ${params.storeId} ${workerId}`);
    return { removed: removed.length > 0 };
  }

  #handle(method: string, given: unknown, context: PeerContext): unknown {
    // A connection that does not take its answers is not read from: what it asks for is bounded by that.
    if (!this.#paused && this.#writer.bufferedBytes() > PAUSE_BYTES) {
      this.#paused = true;
      this.#socket.pause();
    }
    if (method === 'subscribe' && context.batched) this.#holdDeliveries(context);
    return this.#pages.run(method, () => {
      const { params, grant } = this.#tokenOf(method, given);
      const call: Call = {
        caller: this.#caller,
        signal: context.signal,
        ...(grant === undefined ? {} : { grant }),
        ...(context.traceparent === undefined ? {} : { traceparent: context.traceparent }),
        ...(context.tracestate === undefined ? {} : { tracestate: context.tracestate }),
      };
      return this.#shared.dispatcher.dispatch(method, params, call, { frameUnits: context.frameUnits }, this);
    });
  }

  /** The parameters without a call's own token, and the token in force: the most specific one wins. */
  #tokenOf(
    method: string,
    given: unknown,
  ): { readonly params: unknown; readonly grant: VerifiedGrant | undefined } {
    const inForce = this.#grants.current();
    if (typeof given !== 'object' || given === null || !('token' in given) || method === 'authenticate') {
      return { params: given, grant: inForce };
    }
    const { token: own, ...params } = given;
    if (this.#shared.authorizer.mode === 'disabled') return { params, grant: undefined };
    if (typeof own !== 'string') {
      throw new GaterError('unauthorized', 'token is no text', { details: { reason: 'parse_error' } });
    }
    return { params, grant: this.#shared.grants.verify(own, this.#proved) };
  }

  /** Ties a subscription or a worker to the token that authorised it. */
  #hold<M extends 'subscribe' | 'registerWorker'>(
    key: string,
    method: M,
    params: ParamsOf<M>,
    call: Call,
  ): void {
    if (call.grant === undefined) return;
    this.#grants.hold(key, call.grant, (grant) =>
      requirementsOf(method, params).every((requirement) => grant.allows(requirement)),
    );
  }

  #openSubscriber(): ChannelSubscriber {
    return this.#shared.channels.connect({
      queueBytes: this.#options.queueBytes,
      queueMessages: this.#options.queueMessages,
      sink: {
        encoder: messageEncoder,
        write: (deliveries: readonly Delivery[]) => this.#deliver(joinDeliveries(deliveries)),
        bufferedBytes: () => this.queuedBytes(),
        overflow: () => this.close(CLOSE_CODES.tooSlow, 'the connection does not read fast enough'),
      },
    });
  }

  #deliver(frames: Uint8Array): void {
    if (this.#held === undefined) {
      this.#writer.frames(frames);
      return;
    }
    this.#held.push(frames);
    this.#heldBytes += frames.length;
  }

  /** What a subscription replays comes after the answer to its call, and that of a batch comes late. */
  #holdDeliveries(context: PeerContext): void {
    this.#held ??= [];
    context.afterAnswer(() => {
      const held = this.#held ?? [];
      this.#held = undefined;
      this.#heldBytes = 0;
      for (const frames of held) this.#writer.frames(frames);
      this.#subscriber?.drained();
    });
  }

  #notified(method: string, params: unknown): boolean {
    return method === 'committed' && (this.#workers?.committed(params) ?? false);
  }

  #ended(): void {
    this.#authenticateTimer?.cancel();
    this.#grants.close();
    this.#subscriber?.close();
    this.#workers?.close();
  }
}
