import { type InexactNumber, inexactNumber } from '@esdb-gater/primitives';
import {
  factsOf,
  isMethodName,
  isServedBy,
  type MethodName,
  type MethodsWith,
  type ParamsOf,
  prepareParams,
  type ResultOf,
  unknownMethod,
  validateParams,
} from '@esdb-gater/protocol';
import { isTracing, type RpcSubject, validTraceContext, withSpan } from '@esdb-gater/telemetry';
import { GaterError, isStoreId } from '@esdb-gater/types';
import type { Authorizer } from '../access/authorizer.ts';
import type { Call } from '../access/caller.ts';

/** Serves a method. Its parameters are validated, authorised and prepared. */
export type Handler<M extends MethodName> = (
  params: ParamsOf<M>,
  call: Call,
) => ResultOf<M> | Promise<ResultOf<M>>;

/** The handlers of some methods. */
export type Handlers = { readonly [M in MethodName]?: Handler<M> };

/** The methods that only a connection can serve. */
export type ConnectionMethod = MethodsWith<{ readonly servedBy: 'connection' }>;

/** The methods that a connection serves itself. An HTTP request serves only some of them. */
export type ConnectionMethods = { readonly [M in ConnectionMethod]: Handler<M> };

export interface DispatcherComponents {
  readonly authorizer: Authorizer;
  /** Serve the methods that do not need a connection. */
  readonly handlers: Handlers;
  /** Returns false once the gateway stops: then new calls are refused. */
  readonly accepting: () => boolean;
}

export interface DispatcherOptions {
  /** `limits.messageBytes`. */
  readonly messageBytes: number;
}

/** The text that a call's parameters were parsed from. */
interface Source {
  /** UTF-16 units, or bytes, of the text: short parameters are not measured. */
  readonly frameUnits?: number;
  /** A number in the content that parsing changed. */
  readonly inexactNumber?: InexactNumber;
}

/** Runs every call of the gateway, from every transport. */
export interface Dispatcher {
  /**
   * Requires a token where the mode does, validates, authorises, and calls the handler of the method: the connection's
   * (`own`), else the gateway's. Under an OpenTelemetry SDK the call is a SERVER span.
   *
   * @throws a `GaterError`
   */
  dispatch(
    method: string,
    params: unknown,
    call: Call,
    source?: Source,
    own?: Partial<ConnectionMethods>,
  ): unknown;
  /** Resolves when no call is in flight. */
  idle(): Promise<void>;
}

export function createDispatcher(components: DispatcherComponents, options: DispatcherOptions): Dispatcher {
  return new CallDispatcher(components, options);
}

class CallDispatcher implements Dispatcher {
  readonly #components: DispatcherComponents;
  readonly #messageBytes: number;
  #inFlight = 0;
  #waiting: (() => void)[] = [];

  constructor(components: DispatcherComponents, options: DispatcherOptions) {
    this.#components = components;
    this.#messageBytes = options.messageBytes;
  }

  idle(): Promise<void> {
    return this.#inFlight === 0 ? Promise.resolve() : new Promise((resolve) => this.#waiting.push(resolve));
  }

  dispatch(
    method: string,
    params: unknown,
    call: Call,
    source: Source = {},
    own: Partial<ConnectionMethods> = {},
  ): unknown {
    if (!isTracing()) return this.#dispatch(method, params, withValidTrace(call), source, own);
    return withSpan(subjectOf(method, params), { parent: call }, async (trace) =>
      this.#dispatch(method, params, { ...withoutTrace(call), ...trace }, source, own),
    );
  }

  #dispatch(method: string, given: unknown, call: Call, source: Source, own: Handlers): unknown {
    const { authorizer, handlers, accepting } = this.#components;
    authorizer.demandToken(method, given, call);
    if (!isMethodName(method)) throw unknownMethod(method);
    const serving = isServedBy(method, 'connection') ? own : handlers;
    if (serving[method] === undefined) throw notServed(method);
    if (!accepting()) throw stopping();
    const params = validateParams(method, given);
    authorizer.authorize(method, params, call);
    const result = this.#run(serving, method, params, call, source);
    if (result instanceof Promise) {
      this.#inFlight++;
      result.then(this.#done, this.#done);
    }
    return result;
  }

  #run<M extends MethodName>(
    serving: Handlers,
    method: M,
    params: ParamsOf<M>,
    call: Call,
    source: Source,
  ): unknown {
    const { frameUnits, inexactNumber: inexact } = source;
    if (inexact !== undefined) throw inexactNumber(inexact);
    // The channels weigh messages themselves, and remember only those whose id the caller gave.
    const prepared =
      factsOf(method).servedBy === 'channels'
        ? params
        : prepareParams(method, params, {
            messageBytes: this.#messageBytes,
            ...(frameUnits === undefined ? {} : { frameUnits }),
          });
    return serving[method]?.(prepared, call);
  }

  readonly #done = (): void => {
    this.#inFlight--;
    if (this.#inFlight > 0) return;
    for (const resolve of this.#waiting) resolve();
    this.#waiting = [];
  };
}

/** The semantic conventions' name for unknown methods: callers invent names, but span names must be few. */
const OTHER_METHOD = '_OTHER';

function subjectOf(method: string, params: unknown): RpcSubject {
  const storeId =
    typeof params === 'object' && params !== null && 'storeId' in params ? params.storeId : undefined;
  return {
    kind: 'server',
    method: isMethodName(method) ? method : OTHER_METHOD,
    ...(isStoreId(storeId) ? { storeId } : {}),
  };
}

/** Keeps a valid trace context of a call: without an SDK it is passed on as it is. */
function withValidTrace(call: Call): Call {
  return call.traceparent === undefined ? call : { ...withoutTrace(call), ...validTraceContext(call) };
}

function withoutTrace({ traceparent: _, tracestate: __, ...call }: Call): Call {
  return call;
}

/** Returns the error for a method that the gateway, or this kind of connection, does not serve. */
function notServed(method: MethodName): GaterError {
  return new GaterError('not_supported', `${method} is not served here`, { details: { method } });
}

/** Returns the error for new calls while the gateway stops. */
export function stopping(): GaterError {
  return new GaterError('unavailable', 'the gateway is stopping');
}
