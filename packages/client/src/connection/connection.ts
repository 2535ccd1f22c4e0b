import { InFlight, onAbort, sleep, type TraceContext, waitFor, watchLimits } from '@esdb-gater/primitives';
import type {
  Hello,
  MethodName,
  ParamsOf,
  Peer,
  PeerContext,
  ResultOf,
  WaitOptions,
} from '@esdb-gater/protocol';
import { GaterError } from '@esdb-gater/types';
import { isPermanent } from '../socket/permanent.ts';
import { reconnectDelay } from './backoff.ts';
import { closedEarly, establish, type Session, type SessionHandlers } from './establish.ts';
import type { ConnectionSettings } from './options.ts';
import { PathProbe } from './path-probe.ts';

/** Is told what happens to a connection. */
export interface ConnectionListener {
  /** Handles a notification. Returns false when it is meant for another listener. */
  notification?(method: string, params: unknown, frameUnits: number, trace?: TraceContext): boolean;
  /** Called when a connection is established: `hello` has arrived and the token is accepted. */
  connected?(): void;
  /** Called when the connection is lost; the client reconnects. */
  disconnected?(): void;
  /** Called when the client has given up or was closed. */
  failed?(error: unknown): void;
}

/** Answers the calls of a gateway to a worker that is served through this connection. */
export type ServeCall = (method: string, params: unknown, context: PeerContext) => unknown;

/**
 * A connection to one of several gateways. It reconnects whenever the connection breaks, until it is closed or a
 * gateway refuses it permanently.
 */
export interface Connection {
  /** The last `hello` of a gateway; undefined before the first connection. */
  readonly hello: Hello | undefined;
  readonly connected: boolean;
  /**
   * Makes one call on the current connection, or waits for the next one.
   *
   * @throws the error that the gateway answers; `unavailable` when the connection breaks before the answer or is
   * closed; the signal's reason
   */
  call<M extends MethodName>(
    method: M,
    params: WithToken<ParamsOf<M>>,
    options?: ConnectionCallOptions,
  ): Promise<ResultOf<M>>;
  /** Sends a notification, or does nothing without a connection. */
  notify(method: string, params: unknown): void;
  /** Adds a listener. Returns a function that removes it. */
  listen(listener: ConnectionListener): () => void;
  /** Passes the gateway's calls for a store to `serve`. Returns a function that ends this. */
  serve(storeId: string, serve: ServeCall): () => void;
  close(): Promise<void>;
}

/** Parameters with an optional token for this one call. */
export type WithToken<Params> = Params & { readonly token?: string };

export interface ConnectionCallOptions extends WaitOptions {
  readonly traceparent?: string;
  readonly tracestate?: string;
  /** Called when the call is handed to the connection. */
  readonly onSent?: () => void;
  /** Fails when there is no connection, instead of waiting for one. */
  readonly now?: boolean;
}

/** A topic that nobody subscribes to: the call that probes a connection names it. */
const PROBE_TOPIC = 'esdb-gater.probe';

/** A connection that ends sooner counts as failed, so that a client that is disconnected at once backs off. */
const STABLE_MS = 5_000;

class ReconnectingConnection implements Connection {
  readonly #settings: ConnectionSettings;
  readonly #inFlight: InFlight;
  readonly #listeners = new Set<ConnectionListener>();
  readonly #served = new Map<string, ServeCall>();
  readonly #ended = new AbortController();
  readonly #finished: Promise<void>;
  #stopListening: () => void = () => {};
  #session: Session | undefined;
  #hello: Hello | undefined;
  #next = Promise.withResolvers<Session>();
  #lastError: unknown;
  #lastUrl: string;
  #probe: PathProbe | undefined;
  #pause: AbortController | undefined;

  constructor(settings: ConnectionSettings) {
    this.#settings = settings;
    this.#lastUrl = settings.urls[0] ?? '';
    this.#inFlight = new InFlight(settings.maxInFlight);
    this.#next.promise.catch(() => {});
    const { signal } = settings;
    this.#stopListening = onAbort(signal, (cause) =>
      this.#fail(new GaterError('unavailable', 'the signal of the client was aborted', { cause })),
    );
    const stopWaking = settings.onWake(() => this.#wake());
    this.#finished = this.#run().finally(stopWaking);
  }

  get hello(): Hello | undefined {
    return this.#hello;
  }

  get connected(): boolean {
    return this.#session !== undefined;
  }

  /** Waits for a connection. @throws the error for which the client gave up; the signal's reason */
  async ready(signal?: AbortSignal): Promise<Session> {
    return this.#session ?? waitFor(this.#next.promise, { signal });
  }

  get over(): boolean {
    return this.#ended.signal.aborted;
  }

  /** The error of the last connection attempt, if one has failed. */
  get lastError(): unknown {
    return this.#lastError;
  }

  /** The URL of the last connection attempt. */
  get lastUrl(): string {
    return this.#lastUrl;
  }

  call<M extends MethodName>(
    method: M,
    params: WithToken<ParamsOf<M>>,
    options: ConnectionCallOptions = {},
  ): Promise<ResultOf<M>> {
    return this.#inFlight.run(async () => {
      if (options.now === true && this.#session === undefined) {
        throw new GaterError('unavailable', 'not connected to a gateway');
      }
      const { peer } = this.#session ?? (await this.ready(options.signal));
      options.onSent?.();
      // The answer of a gateway is not validated again.
      return peer.call(method, params, options) as Promise<ResultOf<M>>;
    }, options.signal);
  }

  notify(method: string, params: unknown): void {
    this.#session?.peer.notify(method, params);
  }

  listen(listener: ConnectionListener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  serve(storeId: string, serve: ServeCall): () => void {
    this.#served.set(storeId, serve);
    return () => {
      if (this.#served.get(storeId) === serve) this.#served.delete(storeId);
    };
  }

  async close(): Promise<void> {
    this.#fail(new GaterError('unavailable', 'the client is closed'));
    await this.#finished;
  }

  async #run(): Promise<void> {
    const { urls, clock, policy, random } = this.#settings;
    const { signal } = this.#ended;
    let failures = 0;
    /** Permanent refusals in a row. The client gives up when every gateway has refused. */
    let refusals = 0;
    for (let turn = 0; !signal.aborted; turn++) {
      const url = urls[turn % urls.length] ?? '';
      const begun = clock.monotonic();
      try {
        await this.#live(url, attemptLimit(failures, this.#settings));
        refusals = 0;
        failures = clock.monotonic() - begun < STABLE_MS ? failures + 1 : 0;
      } catch (error) {
        if (signal.aborted) return;
        this.#lastError = error;
        refusals = this.#isFinal(error) ? refusals + 1 : 0;
        if (refusals >= urls.length) {
          this.#fail(withUrl(url, error));
          return;
        }
        failures++;
      }
      // The other gateways are tried at once; only a whole round of failures is followed by a pause.
      const roundOver = failures === 0 || failures % urls.length === 0;
      if (!roundOver) continue;
      const delayMs = reconnectDelay(Math.floor(failures / urls.length), policy, random);
      // When aborted, `sleep` rejects and the loop ends.
      this.#pause = new AbortController();
      await sleep(delayMs, clock, AbortSignal.any([signal, this.#pause.signal])).catch(() => undefined);
      this.#pause = undefined;
    }
  }

  /** Connects, and resolves when the connection has ended. @throws when connecting failed, or the end is final */
  async #live(url: string, limitMs: number): Promise<void> {
    const { signal } = this.#ended;
    this.#lastUrl = url;
    const handlers = {
      onNotification: (method: string, params: unknown, frameUnits: number, trace?: TraceContext) =>
        this.#notified(method, params, frameUnits, trace),
      handle: (method: string, params: unknown, context: PeerContext) =>
        this.#handle(method, params, context),
    };
    const session = await this.#establish(url, handlers, limitMs);
    if (signal.aborted) {
      session.peer.close(1000, '');
      return;
    }
    this.#session = session;
    this.#hello = session.hello;
    this.#lastError = undefined;
    this.#next.resolve(session);
    for (const listener of this.#listeners) listener.connected?.();
    this.#probe = this.#probeOf(session);
    const { code, reason } = await session.peer.closed;
    this.#probe?.stop();
    this.#settings.logger.debug({ url, code, reason }, 'the connection has ended');
    this.#lost(session.peer);
    const error = closedEarly(code, reason);
    if (error.code === 'unauthorized') throw error;
    this.#lastError = error;
  }

  /** Connects within the time limit, or until the client is closed. */
  async #establish(url: string, handlers: SessionHandlers, timeoutMs: number): Promise<Session> {
    const { clock } = this.#settings;
    const timeoutError = (): GaterError =>
      new GaterError('unavailable', `the gateway did not answer within ${Math.round(timeoutMs)} ms`);
    const limit = new AbortController();
    const stopWatching = watchLimits(
      { signal: this.#ended.signal, timeoutMs, timeoutError, clock, unref: true },
      (reason) => limit.abort(reason),
    );
    try {
      return await establish(url, this.#settings, handlers, limit.signal);
    } finally {
      stopWatching();
    }
  }

  #probeOf({ peer, heardAt }: Session): PathProbe | undefined {
    if (heardAt === undefined) return undefined;
    return new PathProbe({
      heardAt,
      clock: this.#settings.clock,
      // Any caller may make this call, and it changes nothing.
      ask: (signal) => peer.call('unsubscribe', { channel: 'system', topic: PROBE_TOPIC }, { signal }),
      onDead: () => peer.close(4000, 'the gateway does not answer'),
    });
  }

  /** The network may be back, or the connection may have died unnoticed: reconnects, or probes, at once. */
  #wake(): void {
    this.#pause?.abort();
    void this.#probe?.check();
  }

  /** Returns true when another attempt at the same gateway would fail the same way. */
  #isFinal(error: unknown): boolean {
    if (!GaterError.is(error)) return false;
    if (error.code === 'unauthorized') return typeof this.#settings.token !== 'function';
    // A gateway that was reached before has the right URL; what fails now is mended by whoever runs it.
    if (isPermanent(error)) return this.#hello === undefined;
    return !error.retriable && error.code !== 'internal';
  }

  #lost(peer: Peer): void {
    if (this.#session?.peer !== peer) return;
    this.#session = undefined;
    if (!this.#ended.signal.aborted) {
      this.#next = Promise.withResolvers();
      this.#next.promise.catch(() => {});
    }
    for (const listener of this.#listeners) listener.disconnected?.();
  }

  #fail(error: GaterError | unknown): void {
    if (this.#ended.signal.aborted) return;
    this.#ended.abort(error);
    this.#stopListening();
    const session = this.#session;
    this.#session = undefined;
    this.#next.reject(error);
    if (session !== undefined) {
      // Later calls fail with this error.
      this.#next = Promise.withResolvers();
      this.#next.promise.catch(() => {});
      this.#next.reject(error);
      session.peer.close(1000, '');
    }
    for (const listener of this.#listeners) listener.failed?.(error);
  }

  #notified(method: string, params: unknown, frameUnits: number, trace?: TraceContext): boolean {
    for (const listener of this.#listeners) {
      if (listener.notification?.(method, params, frameUnits, trace) === true) return true;
    }
    // An unknown notification comes from a newer gateway.
    return true;
  }

  #handle(method: string, params: unknown, context: PeerContext): unknown {
    const { storeId } = params as { readonly storeId?: unknown };
    if (typeof storeId !== 'string')
      throw new GaterError('not_supported', 'this connection serves calls of stores only');
    const serve = this.#served.get(storeId);
    // A call that was on its way while its worker ended: another worker may answer it.
    if (serve === undefined) throw new GaterError('unavailable', 'this connection does not serve that store');
    return serve(method, params, context);
  }
}

/**
 * Returns the time limit of one attempt to connect. At first it leaves time for the other gateways, so that one that
 * hangs does not use up all of it; it doubles with every round, for gateways that are slow.
 */
function attemptLimit(failures: number, { urls, connectTimeoutMs }: ConnectionSettings): number {
  const rounds = Math.floor(failures / urls.length);
  return Math.min(connectTimeoutMs, (connectTimeoutMs / (urls.length + 1)) * 2 ** rounds);
}

/** Adds the URL to the message of an error that came from the network. */
function withUrl(url: string, error: unknown): unknown {
  if (!GaterError.is(error) || error.code !== 'unavailable') return error;
  const { code, message, details } = error;
  return new GaterError(code, `cannot connect to ${url}: ${message}`, { details, cause: error });
}

/** Returns the error for a call that found no connection in time: it says why the last attempt failed. */
export function cannotConnect({ lastError, lastUrl }: OpenConnection, timeoutMs: number): GaterError {
  const why = lastError instanceof Error ? `: ${lastError.message}` : '';
  return new GaterError('unavailable', `cannot connect to ${lastUrl} within ${timeoutMs} ms${why}`, {
    cause: lastError,
  });
}

/** What the client itself needs from a connection. */
export interface OpenConnection extends Connection {
  ready(signal?: AbortSignal): Promise<Session>;
  /** True when the client is closed or has given up. */
  readonly over: boolean;
  readonly lastError: unknown;
  readonly lastUrl: string;
}

/** Starts connecting, and stays connected until it is closed. */
export function openConnection(settings: ConnectionSettings): OpenConnection {
  return new ReconnectingConnection(settings);
}
