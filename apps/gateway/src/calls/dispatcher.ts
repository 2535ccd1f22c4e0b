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

/** Answers a method. Its parameters are valid, permitted and prepared. */
export type Handler<M extends MethodName> = (
  params: ParamsOf<M>,
  call: Call,
) => ResultOf<M> | Promise<ResultOf<M>>;

/** The handlers of some methods. */
export type Handlers = { readonly [M in MethodName]?: Handler<M> };

/** The methods that this version of the gateway serves. */
export type ServedMethod = Exclude<MethodName, MethodsWith<{ readonly planned: true }>>;

/** True for a method that this version of the gateway serves, if only on a connection. */
export function isServed(method: MethodName): method is ServedMethod {
  return factsOf(method).planned !== true;
}

/** The methods that only a connection can serve. */
export type ConnectionMethod = MethodsWith<{ readonly servedBy: 'connection' }> & ServedMethod;

/** What a connection serves by itself. A connection that is not a WebSocket serves only some of them. */
export type ConnectionMethods = { readonly [M in ConnectionMethod]: Handler<M> };

export interface DispatcherComponents {
  readonly authorizer: Authorizer;
  /** What is served without a connection of its own. */
  readonly handlers: Handlers;
  /** False once the gateway stops: then new work is refused. */
  readonly accepting: () => boolean;
}

export interface DispatcherOptions {
  /** `limits.messageBytes`. */
  readonly messageBytes: number;
}

/** What a call's parameters were parsed from. */
interface Source {
  /** UTF-16 units, or bytes, of the text: short ones need not be weighed. */
  readonly frameUnits?: number;
}

/** The one way into the gateway for every call. */
export interface Dispatcher {
  /**
   * Asks for a token where one is needed, validates, authorises, and runs what serves the method: the connection
   * itself (`own`), else the gateway. Under an OpenTelemetry SDK the call is a SERVER span.
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
  /** Resolves when no call is under way. */
  idle(): Promise<void>;
}

export function createDispatcher(components: DispatcherComponents, options: DispatcherOptions): Dispatcher {
  return new CallDispatcher(components, options);
}

class CallDispatcher implements Dispatcher {
  readonly #components: DispatcherComponents;
  readonly #messageBytes: number;
  #underWay = 0;
  #waiting: (() => void)[] = [];

  constructor(components: DispatcherComponents, options: DispatcherOptions) {
    this.#components = components;
    this.#messageBytes = options.messageBytes;
  }

  idle(): Promise<void> {
    return this.#underWay === 0 ? Promise.resolve() : new Promise((resolve) => this.#waiting.push(resolve));
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
      this.#underWay++;
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
    // The channels weigh messages themselves, and remember only those whose id the caller gave.
    const prepared =
      factsOf(method).servedBy === 'channels'
        ? params
        : prepareParams(method, params, { messageBytes: this.#messageBytes, ...source });
    return serving[method]?.(prepared, call);
  }

  readonly #done = (): void => {
    this.#underWay--;
    if (this.#underWay > 0) return;
    for (const resolve of this.#waiting) resolve();
    this.#waiting = [];
  };
}

/** What the conventions call a method that is none: callers make up names, and names of spans must be few. */
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

/** Without an SDK the trace context that came with a call is handed on, when it is valid. */
function withValidTrace(call: Call): Call {
  return call.traceparent === undefined ? call : { ...withoutTrace(call), ...validTraceContext(call) };
}

function withoutTrace({ traceparent: _, tracestate: __, ...call }: Call): Call {
  return call;
}

/** The error of a method of the protocol that the gateway, or this kind of connection, does not serve. */
function notServed(method: MethodName): GaterError {
  return new GaterError('not_supported', `${method} is not served here`, { details: { method } });
}

/** The error of new work while the gateway stops. */
export function stopping(): GaterError {
  return new GaterError('unavailable', 'the gateway is stopping');
}
