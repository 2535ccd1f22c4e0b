import { onAbort, sleep, waitFor, watchLimits } from '@esdb-gater/primitives';
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
import { reconnectDelay } from './backoff.ts';
import { closedEarly, establish, type Session, type SessionHandlers } from './establish.ts';
import { InFlight } from './in-flight.ts';
import type { ConnectionSettings } from './options.ts';

/** Whoever lives on a connection through its ups and downs. */
export interface ConnectionListener {
  /** Takes a notification; returns false when it is none of its own. */
  notification?(method: string, params: unknown): boolean;
  /** A connection is there, greeted and authenticated. */
  connected?(): void;
  /** It is gone; another one is being made. */
  disconnected?(): void;
  /** There will be no other one. */
  failed?(error: unknown): void;
}

/** Answers the calls that a gateway makes, of a worker that is served through this connection. */
export type ServeCall = (method: string, params: unknown, context: PeerContext) => unknown;

/**
 * A connection to one of several gateways, which is made again whenever it breaks, until it is closed or refused
 * for good.
 */
export interface Connection {
  /** What the gateway said last; undefined before the first connection. */
  readonly hello: Hello | undefined;
  readonly connected: boolean;
  /**
   * One call on the present connection, or on the next one when there is none: it waits for that.
   *
   * @throws what the gateway answers; `unavailable` when the connection breaks before the answer, or is closed;
   * the signal's reason
   */
  call<M extends MethodName>(
    method: M,
    params: WithToken<ParamsOf<M>>,
    options?: ConnectionCallOptions,
  ): Promise<ResultOf<M>>;
  /** Nothing is said when there is no connection. */
  notify(method: string, params: unknown): void;
  /** Returns what removes the listener. */
  listen(listener: ConnectionListener): () => void;
  /** Calls of the gateway go to `serve` when their `storeId` is this one. Returns what ends that. */
  serve(storeId: string, serve: ServeCall): () => void;
  close(): Promise<void>;
}

/** Parameters as they are sent, to which a token for this one call may be added. */
export type WithToken<Params> = Params & { readonly token?: string };

export interface ConnectionCallOptions extends WaitOptions {
  readonly traceparent?: string;
  readonly tracestate?: string;
  /** Called when the call was handed to the connection. */
  readonly onSent?: () => void;
  /** Fails instead of waiting when there is no connection. */
  readonly now?: boolean;
}

/** Connections that did not live this long count as failed, so that one that is thrown out again backs off. */
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

  constructor(settings: ConnectionSettings) {
    this.#settings = settings;
    this.#inFlight = new InFlight(settings.maxInFlight);
    this.#next.promise.catch(() => {});
    const { signal } = settings;
    this.#stopListening = onAbort(signal, (cause) =>
      this.#fail(new GaterError('unavailable', 'the client was aborted', { cause })),
    );
    this.#finished = this.#run();
  }

  get hello(): Hello | undefined {
    return this.#hello;
  }

  get connected(): boolean {
    return this.#session !== undefined;
  }

  /** Waits for a connection. @throws why there will be none; the signal's reason */
  async ready(signal?: AbortSignal): Promise<Session> {
    return this.#session ?? waitFor(this.#next.promise, { signal });
  }

  get over(): boolean {
    return this.#ended.signal.aborted;
  }

  /** Why there is no connection, as far as that is known. */
  get lastError(): unknown {
    return this.#lastError;
  }

  call<M extends MethodName>(
    method: M,
    params: WithToken<ParamsOf<M>>,
    options: ConnectionCallOptions = {},
  ): Promise<ResultOf<M>> {
    return this.#inFlight.run(async () => {
      if (options.now === true && this.#session === undefined) {
        throw new GaterError('unavailable', 'there is no connection');
      }
      const { peer } = this.#session ?? (await this.ready(options.signal));
      options.onSent?.();
      // What a gateway answers is not looked at any further: it is the one that validates.
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
    /** Refusals in a row that will not change: when every gateway refused, it is over. */
    let refusals = 0;
    for (let turn = 0; !signal.aborted; turn++) {
      const url = urls[turn % urls.length] ?? '';
      const begun = clock.monotonic();
      try {
        await this.#live(url);
        refusals = 0;
        failures = clock.monotonic() - begun < STABLE_MS ? failures + 1 : 0;
      } catch (error) {
        if (signal.aborted) return;
        this.#lastError = error;
        refusals = isFinal(error, this.#settings) ? refusals + 1 : 0;
        if (refusals >= urls.length) {
          this.#fail(error);
          return;
        }
        failures++;
      }
      // The other gateways are asked at once; only a whole round without success is worth a pause.
      const roundOver = failures === 0 || failures % urls.length === 0;
      if (!roundOver) continue;
      const delayMs = reconnectDelay(Math.floor(failures / urls.length), policy, random);
      // Aborted, it rejects: the loop then ends by itself.
      await sleep(delayMs, clock, signal).catch(() => undefined);
    }
  }

  /** Makes a connection and returns when it has ended. @throws when it was not made, or ended for good */
  async #live(url: string): Promise<void> {
    const { signal } = this.#ended;
    const handlers = {
      onNotification: (method: string, params: unknown) => this.#notified(method, params),
      handle: (method: string, params: unknown, context: PeerContext) =>
        this.#handle(method, params, context),
    };
    const session = await this.#establish(url, handlers);
    if (signal.aborted) {
      session.peer.close(1000, '');
      return;
    }
    this.#session = session;
    this.#hello = session.hello;
    this.#lastError = undefined;
    this.#next.resolve(session);
    for (const listener of this.#listeners) listener.connected?.();
    const { code, reason } = await session.peer.closed;
    this.#settings.logger.debug({ url, code, reason }, 'a connection has ended');
    this.#lost(session.peer);
    const error = closedEarly(code, reason);
    if (error.code === 'unauthorized') throw error;
    this.#lastError = error;
  }

  /** Ends with the connection for good, and after the time in which one must be made. */
  async #establish(url: string, handlers: SessionHandlers): Promise<Session> {
    const { clock, connectTimeoutMs: timeoutMs } = this.#settings;
    const timeoutError = (): GaterError =>
      new GaterError('unavailable', `no connection within ${timeoutMs} ms`);
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
      // Calls from now on find the rejection.
      this.#next = Promise.withResolvers();
      this.#next.promise.catch(() => {});
      this.#next.reject(error);
      session.peer.close(1000, '');
    }
    for (const listener of this.#listeners) listener.failed?.(error);
  }

  #notified(method: string, params: unknown): boolean {
    for (const listener of this.#listeners) {
      if (listener.notification?.(method, params) === true) return true;
    }
    // One that nobody knows is of a newer gateway.
    return true;
  }

  #handle(method: string, params: unknown, context: PeerContext): unknown {
    const { storeId } = params as { readonly storeId?: unknown };
    const serve = typeof storeId === 'string' ? this.#served.get(storeId) : undefined;
    if (serve === undefined)
      throw new GaterError('not_supported', 'no such store is served through this connection');
    return serve(method, params, context);
  }
}

/** True when the same connection made again would end the same way. */
function isFinal(error: unknown, { token }: ConnectionSettings): boolean {
  if (!GaterError.is(error)) return false;
  if (error.code === 'unauthorized') return typeof token !== 'function';
  return !error.retriable && error.code !== 'internal';
}

/** What the client itself needs of a connection. */
export interface OpenConnection extends Connection {
  ready(signal?: AbortSignal): Promise<Session>;
  /** True when there will be no other connection. */
  readonly over: boolean;
  readonly lastError: unknown;
}

/** Begins to connect, and goes on until it is closed. */
export function openConnection(settings: ConnectionSettings): OpenConnection {
  return new ReconnectingConnection(settings);
}
