import {
  type InexactNumber,
  JSON_DEPTH,
  type TraceContext,
  utf8Bytes,
  validTraceContext,
} from '@esdb-gater/primitives';
import {
  type Clock,
  GaterError,
  LIMITS,
  type Logger,
  silentLogger,
  systemClock,
  type Transport,
} from '@esdb-gater/types';
import { BatchAnswer } from './batch-answer.ts';
import {
  type ExactNumbers,
  encodeError,
  encodeNotification,
  encodeRequest,
  encodeResult,
  type Inbound,
  parseMessage,
  type RpcId,
} from './json-rpc.ts';
import { PendingCalls, type WaitOptions } from './pending-calls.ts';
import { fromRpcError, toRpcError } from './rpc-errors.ts';

/** The context of a call that a handler gets. */
export interface PeerContext extends TraceContext {
  /** True for a call without an id: the handler's result is not sent. */
  readonly notification: boolean;
  /** True for a call of a batch: its answer waits for the others. */
  readonly batched: boolean;
  /** UTF-16 units of the frame that contained the call. */
  readonly frameUnits: number;
  /** UTF-16 units of the call itself; in a batch its part of the frame. */
  readonly units: number;
  /** A number in the content that parsing changed; only with `exactNumbers`. */
  readonly inexactNumber?: InexactNumber;
  /** Is aborted when the connection ends. */
  readonly signal: AbortSignal;
  /** Calls `run` once the answer (of a batch: all answers) was passed to the transport. */
  afterAnswer(run: () => void): void;
}

export interface PeerComponents {
  /**
   * Handles a call. Called in order of arrival; answers may overtake each other. An error that it throws becomes the
   * error of the answer. Without a handler every method is `not_supported`.
   */
  readonly handle?: (method: string, params: unknown, context: PeerContext) => unknown;
  /**
   * Handles a notification. Returns false for an unknown notification. `frameUnits` is the length of its frame in
   * UTF-16 units; `trace` is its trace context, when it has a valid one.
   */
  readonly onNotification?: (
    method: string,
    params: unknown,
    frameUnits: number,
    trace?: TraceContext,
  ) => boolean;
  /** Is called for each message with the number of its elements, before they are handled. */
  readonly onMessage?: (elements: number) => void;
  readonly logger?: Logger;
  readonly clock?: Clock;
}

export interface PeerOptions {
  /** Prefix of the ids of this side's calls. @default '' (ids are numbers) */
  readonly idPrefix?: string;
  /** Maximum number of calls of the other side in flight; more are `overloaded`. @default 1 024 */
  readonly maxInFlight?: number;
  /**
   * Deepest nesting of a message that is accepted. A client accepts deeper messages than it may send: other sources may
   * hold deeper values.
   *
   * @default JSON_DEPTH.frame
   */
  readonly maxDepth?: number;
  /** Maximum size of a message that is sent, in bytes; a function when it is known later. @default LIMITS.frameBytes */
  readonly frameBytes?: number | (() => number);
  /** Invalid messages, or elements of batches, in a row; with the next one `onTooManyInvalid` is called. @default no limit */
  readonly maxInvalidInRow?: number;
  readonly onTooManyInvalid?: () => void;
  /**
   * Looks for numbers that a double does not hold exactly in received content: reports them to handlers of calls, and
   * refuses answers that contain them. Set it to `exactNumbers` when received values are stored or passed on.
   *
   * @default numbers are not looked at
   */
  readonly exactNumbers?: ExactNumbers;
}

export interface CallOptions extends TraceContext, WaitOptions {}

export interface PeerStats {
  /** The number of calls of the other side in flight. */
  readonly inFlight: number;
  /** Calls of this side that wait for an answer. */
  readonly pending: number;
  readonly refusedNotifications: number;
  /** Answers with an unknown id, late answers included. */
  readonly unknownAnswers: number;
  /** Messages, or elements of a batch, that were not valid requests. */
  readonly invalidMessages: number;
}

/** One end of a JSON-RPC 2.0 connection, on which both sides make calls. */
export interface Peer {
  /**
   * Calls a method of the other side.
   *
   * @throws the other side's error; `timeout`; `payload_too_large`; the signal's reason; `unavailable` when the
   * connection is closed, or closes before the answer (`wasUnanswered` tells which)
   */
  call(method: string, params?: unknown, options?: CallOptions): Promise<unknown>;
  /** Calls without an answer. */
  notify(method: string, params?: unknown): void;
  /** Sends an encoded message. */
  send(text: string): void;
  close(code?: number, reason?: string): void;
  /** Resolves when the connection has ended. */
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;
  stats(): PeerStats;
}

/** Calls whose text may be longer than this are counted exactly. No gateway closes a connection for a smaller frame. */
const COUNTED_FROM_BYTES = 65_536;

type InboundCall = Inbound & { readonly kind: 'call' };

/** Adds an answer to those of its batch. */
type Reply = (text: string) => void;

/** The answer to a notification within a batch. */
const ignoreAnswer: Reply = () => undefined;

class CallContext implements PeerContext {
  readonly notification: boolean;
  readonly batched: boolean;
  readonly frameUnits: number;
  readonly units: number;
  readonly signal: AbortSignal;
  readonly inexactNumber?: InexactNumber;
  readonly traceparent?: string;
  readonly tracestate?: string;
  readonly #after: (() => void)[];

  constructor(
    call: InboundCall,
    batched: boolean,
    frameUnits: number,
    units: number,
    signal: AbortSignal,
    after: (() => void)[],
  ) {
    this.notification = call.id === undefined;
    this.batched = batched;
    this.frameUnits = frameUnits;
    this.units = units;
    this.signal = signal;
    this.#after = after;
    if (call.inexact !== undefined) this.inexactNumber = call.inexact;
    if (call.traceparent === undefined) return;
    const { traceparent, tracestate } = validTraceContext(call);
    if (traceparent !== undefined) this.traceparent = traceparent;
    if (tracestate !== undefined) this.tracestate = tracestate;
  }

  afterAnswer(run: () => void): void {
    this.#after.push(run);
  }
}

class JsonRpcPeer implements Peer {
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;
  readonly #transport: Transport;
  readonly #components: PeerComponents;
  readonly #logger: Logger;
  readonly #idPrefix: string;
  readonly #maxInFlight: number;
  readonly #frameLimit: number | (() => number);
  readonly #maxDepth: number;
  readonly #maxInvalidInRow: number;
  readonly #onTooManyInvalid: () => void;
  readonly #exactNumbers: ExactNumbers | undefined;
  readonly #pending: PendingCalls;
  /** Made with the first call of the other side: most idle connections have none. */
  #ended: AbortController | undefined;
  #end: { readonly code: number; readonly reason: string } | undefined;
  #lastId = 0;
  #inFlight = 0;
  #refusedNotifications = 0;
  #unknownAnswers = 0;
  #invalidMessages = 0;
  #invalidInRow = 0;

  constructor(transport: Transport, components: PeerComponents, options: PeerOptions) {
    this.#transport = transport;
    this.#components = components;
    this.#logger = components.logger ?? silentLogger;
    this.#idPrefix = options.idPrefix ?? '';
    this.#maxInFlight = options.maxInFlight ?? LIMITS.inFlight;
    this.#frameLimit = options.frameBytes ?? LIMITS.frameBytes;
    this.#maxDepth = options.maxDepth ?? JSON_DEPTH.frame;
    this.#maxInvalidInRow = options.maxInvalidInRow ?? Number.POSITIVE_INFINITY;
    this.#onTooManyInvalid = options.onTooManyInvalid ?? (() => undefined);
    this.#exactNumbers = options.exactNumbers;
    this.#pending = new PendingCalls(components.clock ?? systemClock);
    const { promise, resolve } = Promise.withResolvers<{ readonly code: number; readonly reason: string }>();
    this.closed = promise;
    transport.receive({
      message: (text) => this.#receive(text),
      closed: (code, reason) => {
        this.#finish(code, reason);
        resolve({ code, reason });
      },
    });
  }

  call(method: string, params?: unknown, options: CallOptions = {}): Promise<unknown> {
    if (options.signal?.aborted === true) return Promise.reject(options.signal.reason);
    if (this.#end !== undefined) return Promise.reject(endOf(this.#end.code));
    const id = this.#idPrefix === '' ? ++this.#lastId : `${this.#idPrefix}${++this.#lastId}`;
    let text: string;
    try {
      text = encodeRequest(id, method, params, options);
    } catch (error) {
      return Promise.reject(error);
    }
    if (this.#exceeds(text)) return Promise.reject(this.#tooLong(`the call of ${method}`));
    const answer = this.#pending.wait(id, method, options, utf8Bytes(text, COUNTED_FROM_BYTES));
    this.#transport.send(text);
    return answer;
  }

  notify(method: string, params?: unknown): void {
    this.send(encodeNotification(method, params));
  }

  send(text: string): void {
    if (this.#end === undefined) this.#transport.send(text);
  }

  close(code = 1000, reason = ''): void {
    this.#transport.close(code, reason);
  }

  stats(): PeerStats {
    return {
      inFlight: this.#inFlight,
      pending: this.#pending.size,
      refusedNotifications: this.#refusedNotifications,
      unknownAnswers: this.#unknownAnswers,
      invalidMessages: this.#invalidMessages,
    };
  }

  #finish(code: number, reason: string): void {
    if (this.#end !== undefined) return;
    this.#end = { code, reason };
    this.#pending.abandon('the connection closed before the answer arrived', { closeCode: code });
    this.#ended?.abort(endOf(code));
  }

  #receive(text: string): void {
    const message = parseMessage(text, this.#maxDepth, this.#exactNumbers);
    this.#components.onMessage?.(isBatch(message) ? message.length : 1);
    if (!isBatch(message)) {
      this.#take(message, undefined, false, text.length);
      return;
    }
    const calls = message.filter(isAnswered).length;
    const batch = new BatchAnswer(message.length, calls, this.#frameBytes, (answers) => this.send(answers));
    for (const element of message) {
      const slot = isAnswered(element) ? batch.slot(element.id ?? null) : undefined;
      this.#take(element, slot ?? ignoreAnswer, true, text.length, batch);
    }
  }

  #take(
    element: Inbound,
    reply: Reply | undefined,
    batched: boolean,
    frameUnits: number,
    batch?: BatchAnswer,
  ): void {
    switch (element.kind) {
      case 'answer':
        this.#invalidInRow = 0;
        this.#answered(element);
        break;
      case 'invalid':
        this.#invalidMessages++;
        if (++this.#invalidInRow > this.#maxInvalidInRow) {
          this.#onTooManyInvalid();
          return;
        }
        this.#reply(encodeError(element.id, toRpcError(element.error, element.code)), reply);
        break;
      case 'call':
        this.#invalidInRow = 0;
        this.#called(element, reply, batched, frameUnits, batch);
    }
  }

  #answered({ id, result, error, inexact }: Inbound & { readonly kind: 'answer' }): void {
    const refusal =
      error !== undefined && error !== null
        ? fromRpcError(error)
        : inexact && this.#exactNumbers?.error(inexact);
    const known =
      refusal === undefined ? this.#pending.resolve(id, result) : this.#pending.reject(id, refusal);
    if (!known) this.#unknownAnswers++;
  }

  #called(
    call: InboundCall,
    reply: Reply | undefined,
    batched: boolean,
    frameUnits: number,
    batch?: BatchAnswer,
  ): void {
    const { id, method } = call;
    if (id === undefined && this.#notified(call, frameUnits)) return;
    const after = batch?.after ?? [];
    if (this.#inFlight >= this.#maxInFlight) {
      const error = new GaterError(
        'overloaded',
        `this connection already has ${this.#maxInFlight} calls in flight`,
      );
      this.#settle(id, error, reply, after, batched);
      return;
    }
    const context = new CallContext(
      call,
      batched,
      frameUnits,
      Math.ceil(frameUnits / (batch?.elements ?? 1)),
      this.#signal(),
      after,
    );
    let result: unknown;
    try {
      if (this.#components.handle === undefined) {
        throw new GaterError('not_supported', `${JSON.stringify(method.slice(0, 64))} is not served here`);
      }
      result = this.#components.handle(method, call.params ?? {}, context);
    } catch (error) {
      this.#settle(id, this.#known(error, method), reply, after, batched);
      return;
    }
    if (!isPromise(result)) {
      this.#settle(id, result, reply, after, batched);
      return;
    }
    this.#inFlight++;
    result.then(
      (value) => {
        this.#inFlight--;
        this.#settle(id, value, reply, after, batched);
      },
      (error: unknown) => {
        this.#inFlight--;
        this.#settle(id, this.#known(error, method), reply, after, batched);
      },
    );
  }

  /** The signal of the calls of the other side, which the end of the connection aborts. */
  #signal(): AbortSignal {
    if (this.#ended === undefined) {
      this.#ended = new AbortController();
      if (this.#end !== undefined) this.#ended.abort(endOf(this.#end.code));
    }
    return this.#ended.signal;
  }

  /** Returns true when a notification was handled. */
  #notified(call: InboundCall, frameUnits: number): boolean {
    const { method, params, traceparent } = call;
    try {
      if (!Array.isArray(params)) {
        const trace = traceparent === undefined ? undefined : validTraceContext(call);
        return this.#components.onNotification?.(method, params ?? {}, frameUnits, trace) === true;
      }
    } catch (error) {
      this.#known(error, method);
    }
    this.#refusedNotifications++;
    return true;
  }

  /** Sends a result or an error, and runs the functions that wait for it. */
  #settle(
    id: RpcId | undefined,
    outcome: unknown,
    reply: Reply | undefined,
    after: (() => void)[],
    batched: boolean,
  ): void {
    if (id === undefined) {
      if (GaterError.is(outcome)) this.#refusedNotifications++;
    } else {
      this.#reply(this.#encode(id, outcome), reply);
    }
    // Those of a batch run when the whole batch is answered.
    if (!batched) for (const run of after) run();
  }

  /** Sends an answer, or adds it to those of its batch. */
  #reply(answer: string, toBatch: Reply | undefined): void {
    if (toBatch === undefined) this.send(answer);
    else toBatch(answer);
  }

  #encode(id: RpcId, outcome: unknown): string {
    if (GaterError.is(outcome)) return encodeError(id, toRpcError(outcome));
    try {
      const text = encodeResult(id, outcome);
      return this.#exceeds(text) ? encodeError(id, toRpcError(this.#tooLong('the answer'))) : text;
    } catch (error) {
      return encodeError(id, toRpcError(this.#known(error, 'an answer')));
    }
  }

  #known(error: unknown, method: string): GaterError {
    if (!GaterError.is(error)) this.#logger.error({ err: error, method }, 'a handler failed unexpectedly');
    return GaterError.from(error);
  }

  get #frameBytes(): number {
    return typeof this.#frameLimit === 'number' ? this.#frameLimit : this.#frameLimit();
  }

  #exceeds(text: string): boolean {
    const limit = this.#frameBytes;
    return utf8Bytes(text, limit) > limit;
  }

  #tooLong(what: string): GaterError {
    return new GaterError(
      'payload_too_large',
      `${what} is longer than a frame of ${this.#frameBytes} bytes`,
      {
        details: { limit: this.#frameBytes },
      },
    );
  }
}

function endOf(closeCode: number): GaterError {
  return new GaterError('unavailable', 'the connection is closed', { details: { closeCode } });
}

function isBatch(message: Inbound | readonly Inbound[]): message is readonly Inbound[] {
  return Array.isArray(message);
}

/** Returns whether an element of a batch is answered. */
function isAnswered(
  element: Inbound,
): element is Inbound & { readonly kind: 'call' | 'invalid'; readonly id: RpcId } {
  return element.kind === 'invalid' || (element.kind === 'call' && element.id !== undefined);
}

function isPromise(value: unknown): value is Promise<unknown> {
  return (
    typeof value === 'object' && value !== null && typeof (value as PromiseLike<unknown>).then === 'function'
  );
}

/** Creates a peer over `transport`, which must not be used elsewhere from now on. */
export function createPeer(
  transport: Transport,
  components: PeerComponents = {},
  options: PeerOptions = {},
): Peer {
  return new JsonRpcPeer(transport, components, options);
}
