import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import {
  CLOSE_CODES,
  createPeer,
  exactNumbers,
  type Hello,
  type ParamsOf,
  PEER_METHOD,
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
  type Subscriptions,
  type Timer,
} from '@esdb-gater/types';
import type { Authorizer } from '../access/authorizer.ts';
import { type Call, type Caller, makerOf } from '../access/caller.ts';
import type { GrantVerifier, VerifiedGrant } from '../access/grants.ts';
import type { InboundBudget } from '../access/inbound-budget.ts';
import { createLiveGrants, type LiveGrants } from '../access/live-grants.ts';
import type { OutboundBudget } from '../access/outbound-budget.ts';
import type { TokenAuthenticator } from '../access/token-authenticator.ts';
import type { ConnectionMethods, Dispatcher } from '../calls/dispatcher.ts';
import { hasLargeAnswer } from '../calls/large-answers.ts';
import type { ConnectionWorkers, WorkerHost } from '../calls/worker-host.ts';
import type { PeerAcceptor } from '../cluster/accept-peer.ts';
import type { PeerLink } from '../cluster/peer-link.ts';
import type { ConnectionBounds } from '../http/connection-bounds.ts';
import type { FollowHost } from '../stores/follow-host.ts';
import { type ConnectionFollows, createConnectionFollows } from './connection-follows.ts';
import { ConnectionSubscriptions, keyOf } from './connection-subscriptions.ts';
import type { FrameWriter } from './frame-writer.ts';
import { joinDeliveries, messageEncoder } from './frames.ts';
import type { GatewaySocket } from './gateway-socket.ts';
import type { IntakeTurns } from './intake.ts';
import { createPageLimiter, type PageLimiter } from './page-limiter.ts';
import { SocketTransport } from './socket-transport.ts';

/** The parts of a gateway that all its sessions share. */
export interface SessionComponents {
  readonly dispatcher: Dispatcher;
  readonly authorizer: Authorizer;
  readonly grants: GrantVerifier;
  readonly channels: Channels;
  readonly subscriptions: Subscriptions;
  readonly workers: WorkerHost;
  readonly follows: FollowHost;
  /** Lets other nodes prove themselves; only in a cluster. */
  readonly peers?: PeerAcceptor | undefined;
  readonly authenticator: TokenAuthenticator;
  readonly turns: IntakeTurns;
  readonly inbound: InboundBudget;
  readonly outbound: OutboundBudget;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Is called once for each connection that the gateway closes, with the close code. */
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
  readonly bounds: Pick<ConnectionBounds, 'requestTimeoutMs' | 'unauthenticatedBytes'>;
}

/** More invalid messages in a row close the connection. */
const MAX_INVALID_IN_ROW = 100;

/** Unsent bytes at which the gateway stops reading from a connection, until its client has read some. */
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
  readonly #transport: SocketTransport;
  readonly #peer: Peer;
  /** Made with the first call whose answer may be large. */
  #pages: PageLimiter | undefined;
  readonly #nonce = randomBytes(24).toString('base64url');
  /** DIDs that this connection has proved to own. */
  #proved: readonly string[] = [];
  #subscriber: ChannelSubscriber | undefined;
  #persistent: ConnectionSubscriptions | undefined;
  #workers: ConnectionWorkers | undefined;
  #follows: ConnectionFollows | undefined;
  /** Set once the other side has proved that it is a node of the cluster. */
  #link: PeerLink | undefined;
  #authenticateTimer: Timer | undefined;
  #closing = false;
  /** Deliveries that wait until a batch with a `subscribe` in it is answered. */
  #held: Uint8Array[] | undefined;
  #heldBytes = 0;

  constructor(
    shared: SessionComponents,
    options: SessionOptions,
    socket: GatewaySocket,
    netSocket: Socket,
    writer: FrameWriter,
    caller: Caller,
  ) {
    this.#shared = shared;
    this.#options = options;
    this.#socket = socket;
    this.#writer = writer;
    this.#caller = caller;
    this.#grants = createLiveGrants(shared.clock, ({ code, reason }) => this.close(code, reason));
    this.#transport = new SocketTransport({
      socket,
      netSocket,
      writer,
      turns: shared.turns,
      inbound: shared.inbound,
      clock: shared.clock,
      messageTimeoutMs: options.bounds.requestTimeoutMs,
      isReady: () => writer.bufferedBytes() <= PAUSE_BYTES,
    });
    this.#peer = createPeer(
      this.#transport,
      {
        // The transport has counted the message as one element.
        onMessage: (elements) => {
          this.#link?.heard();
          if (elements > 1) this.#transport.intake.spend(elements - 1);
        },
        handle: (method, params, context) => this.#handle(method, params, context),
        onNotification: (method, params) => this.#notified(method, params),
        logger: shared.logger,
        clock: shared.clock,
      },
      {
        maxInFlight: options.inFlightPerConnection,
        frameBytes: options.frameBytes,
        maxInvalidInRow: MAX_INVALID_IN_ROW,
        onTooManyInvalid: () => this.close(CLOSE_CODES.policyViolation, 'too many invalid messages in a row'),
        exactNumbers,
      },
    );
    void this.#peer.closed.then(() => this.#ended());
  }

  /** Sends `hello`. `grant` is the token of the upgrade request. */
  begin(grant: VerifiedGrant | undefined): void {
    const { frameBytes, bounds } = this.#options;
    const { mode } = this.#shared.authorizer;
    if (grant !== undefined) this.#grants.replace(grant);
    if (mode === 'required' && grant === undefined) {
      this.#socket.limitMessages(Math.min(frameBytes, bounds.unauthenticatedBytes));
    }
    this.#peer.notify('hello', { ...this.#options.hello, nonce: this.#nonce } satisfies Hello);
    if (mode !== 'required' || grant !== undefined) return;
    this.#authenticateTimer = this.#shared.clock.setTimer(
      () => this.close(CLOSE_CODES.authenticationTimeout, 'no token arrived in time'),
      this.#options.authenticateMs,
      { unref: true },
    );
  }

  /** Is called when the socket can take more output. */
  drained(): void {
    this.#transport.intake.proceed();
    this.#pages?.drained();
    this.#subscriber?.drained();
    this.#follows?.drained();
    this.#persistent?.drained();
  }

  /** Is called after a revocation: closes the connection if its token was revoked. */
  recheckGrants(): void {
    this.#grants.recheck();
  }

  /** Sends what is queued, then closes. */
  close(code: number, reason: string): void {
    if (!this.#closing) this.#shared.onClosing(code);
    this.#closing = true;
    this.#peer.close(code, reason);
  }

  /** Closes the connection if it has subscriptions to channels, so that its client resumes them. */
  endSubscriptions(reason: string): void {
    if (this.#subscriber !== undefined) this.close(CLOSE_CODES.goingAway, reason);
  }

  stats(): PeerStats {
    return this.#peer.stats();
  }

  /** Returns the bytes that the client has not read yet. */
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
    this.#socket.limitMessages(this.#options.frameBytes);
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

  async followEvents(params: ParamsOf<'followEvents'>, call: Call): Promise<ResultOf<'followEvents'>> {
    this.#follows ??= createConnectionFollows({
      host: this.#shared.follows,
      writer: this.#writer,
      outbound: this.#shared.outbound,
      onFailed: () => this.close(CLOSE_CODES.goingAway, 'a follow cannot go on'),
    });
    const result = await this.#follows.follow(params);
    this.#hold(`follow ${result.followId}`, 'followEvents', params, call);
    return result;
  }

  unfollow({ followId }: ParamsOf<'unfollow'>): ResultOf<'unfollow'> {
    this.#grants.release(`follow ${followId}`);
    return { removed: this.#follows?.unfollow(followId) ?? false };
  }

  async saveSubscription(
    params: ParamsOf<'saveSubscription'>,
    call: Call,
  ): Promise<ResultOf<'saveSubscription'>> {
    const result = await this.#openPersistent().save(params, makerOf(call));
    this.#hold(keyOf(params), 'saveSubscription', params, call);
    return result;
  }

  leaveSubscription(params: ParamsOf<'leaveSubscription'>): Promise<ResultOf<'leaveSubscription'>> {
    return this.#openPersistent().leave(params);
  }

  ackEvent(params: ParamsOf<'ackEvent'>): Promise<ResultOf<'ackEvent'>> {
    return this.#openPersistent().ack(params);
  }

  nackEvent(params: ParamsOf<'nackEvent'>): Promise<ResultOf<'nackEvent'>> {
    return this.#openPersistent().nack(params);
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
    if (this.#link !== undefined) return this.#counted(this.#link.handle(method, given, context), context);
    if (method === PEER_METHOD && this.#shared.peers !== undefined) {
      return this.#authenticatePeer(this.#shared.peers, given, context);
    }
    if (method === 'subscribe' && context.batched) this.#holdDeliveries(context);
    if (method === 'followEvents') context.afterAnswer(() => this.#follows?.answered());
    if (method === 'saveSubscription') this.#openPersistent().hold(context);
    return this.#counted(this.#start(method, given, context), context);
  }

  /** Counts the bytes of a call until it is answered. */
  #counted(result: unknown, context: PeerContext): unknown {
    if (!(result instanceof Promise)) return result;
    const { share } = this.#transport;
    const { units } = context;
    share.add(units);
    // Not by `finally`, which is two more promises for every call.
    context.afterAnswer(() => share.release(units));
    return result;
  }

  /** Turns the connection of a client into a link to another node. A wrong proof ends it. */
  #authenticatePeer(peers: PeerAcceptor, given: unknown, context: PeerContext): unknown {
    try {
      const { link, answer } = peers.accept(given, {
        peer: this.#peer,
        nonce: this.#nonce,
        bufferedBytes: () => this.#writer.bufferedBytes(),
      });
      this.#authenticateTimer?.cancel();
      this.#socket.limitMessages(this.#options.frameBytes);
      // The other side believes nothing before it has verified the answer.
      context.afterAnswer(() => {
        this.#link = link;
        peers.accepted(link);
      });
      return answer;
    } catch (error) {
      context.afterAnswer(() => this.close(CLOSE_CODES.forbidden, 'not a node of this cluster'));
      throw error;
    }
  }

  #start(method: string, given: unknown, context: PeerContext): unknown {
    if (this.#pages === undefined) {
      // Nothing waits yet that this call would have to stay behind.
      if (!hasLargeAnswer(method)) return this.#dispatch(method, given, context);
      this.#pages = createPageLimiter(() => this.#writer.bufferedBytes(), this.#shared.outbound);
    }
    return this.#pages.run(method, () => this.#dispatch(method, given, context));
  }

  #dispatch(method: string, given: unknown, context: PeerContext): unknown {
    const { params, grant } = this.#tokenOf(method, given);
    const caller = this.#caller;
    const { signal, traceparent } = context;
    if (grant === undefined && traceparent === undefined) {
      return this.#shared.dispatcher.dispatch(method, params, { caller, signal }, context, this);
    }
    const call: Call = {
      caller,
      signal,
      ...(grant === undefined ? {} : { grant }),
      ...(traceparent === undefined ? {} : { traceparent }),
      ...(context.tracestate === undefined ? {} : { tracestate: context.tracestate }),
    };
    return this.#shared.dispatcher.dispatch(method, params, call, context, this);
  }

  /** Separates the parameters from the call's own token. The most specific token is in force. */
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
      throw new GaterError('unauthorized', 'token must be a string', { details: { reason: 'parse_error' } });
    }
    return { params, grant: this.#shared.grants.verify(own, this.#proved) };
  }

  /** Ties a subscription, a follow or a worker to the token that authorised it. */
  #hold<M extends 'subscribe' | 'followEvents' | 'saveSubscription' | 'registerWorker'>(
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

  #openPersistent(): ConnectionSubscriptions {
    this.#persistent ??= new ConnectionSubscriptions({
      subscriptions: this.#shared.subscriptions,
      writer: this.#writer,
      outbound: this.#shared.outbound,
      onEnded: (key) => this.#grants.release(key),
    });
    return this.#persistent;
  }

  #openSubscriber(): ChannelSubscriber {
    return this.#shared.channels.connect({
      queueBytes: this.#options.queueBytes,
      queueMessages: this.#options.queueMessages,
      sink: {
        encoder: messageEncoder,
        write: (deliveries: readonly Delivery[]) => this.#deliver(joinDeliveries(deliveries)),
        bufferedBytes: () => this.queuedBytes(),
        overflow: () => this.close(CLOSE_CODES.tooSlow, 'the client does not read fast enough'),
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

  /** Holds deliveries back: a replay must follow the answer to its `subscribe`, which in a batch comes late. */
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
    if (this.#link !== undefined) return this.#link.notified(method, params);
    return method === 'committed' && (this.#workers?.committed(params) ?? false);
  }

  #ended(): void {
    this.#authenticateTimer?.cancel();
    this.#grants.close();
    this.#pages?.close();
    this.#subscriber?.close();
    this.#persistent?.close();
    this.#workers?.close();
    this.#follows?.close();
  }
}
