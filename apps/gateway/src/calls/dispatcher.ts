import {
  isMethodName,
  type MethodName,
  prepareParams,
  unknownMethod,
  validateParams,
} from '@esdb-gater/protocol';
import { GaterError } from '@esdb-gater/types';
import type { Authorizer } from '../access/authorizer.ts';
import type { Call } from '../access/caller.ts';

export interface DispatcherComponents {
  readonly authorizer: Authorizer;
  /** What is served without a connection of its own, by method name. */
  readonly handlers: ReadonlyMap<MethodName, Handler>;
  /** False once the gateway stops: then new work is refused. */
  readonly accepting: () => boolean;
}

export interface DispatcherOptions {
  /** `limits.messageBytes`. */
  readonly messageBytes: number;
}

/** Answers a method that needs no connection of its own. Parameters are valid and permitted. */
export type Handler = (params: never, call: Call) => Promise<unknown> | unknown;

/** What a call's parameters were parsed from. */
interface Source {
  /** UTF-16 units, or bytes, of the text: short ones need not be weighed. */
  readonly frameUnits?: number;
}

/** What a connection serves by itself. */
export interface OwnMethods {
  serves(method: MethodName): boolean;
  run(method: MethodName, params: unknown, call: Call): unknown;
}

/** The one way into the gateway for every call. */
export interface Dispatcher {
  /** The method names that are served without a connection of their own. */
  readonly methods: readonly MethodName[];
  /**
   * Asks for a token where one is needed, validates, authorises, and runs what serves the method: the connection
   * itself (`own`), else the gateway.
   *
   * @throws a `GaterError`
   */
  dispatch(method: string, params: unknown, call: Call, source?: Source, own?: OwnMethods): unknown;
  /** Resolves when no call is under way. */
  idle(): Promise<void>;
}

export function createDispatcher(components: DispatcherComponents, options: DispatcherOptions): Dispatcher {
  const { authorizer, handlers, accepting } = components;
  let underWay = 0;
  let waiting: (() => void)[] = [];
  const done = (): void => {
    underWay--;
    if (underWay > 0) return;
    for (const resolve of waiting) resolve();
    waiting = [];
  };
  return {
    idle: () => (underWay === 0 ? Promise.resolve() : new Promise((resolve) => waiting.push(resolve))),
    methods: [...handlers.keys()],
    dispatch(method, params, call, source = {}, own) {
      authorizer.demandToken(method, params, call);
      if (!isMethodName(method)) throw unknownMethod(method);
      const byConnection = own?.serves(method) === true;
      const handler = handlers.get(method);
      if (!byConnection && handler === undefined) throw notServed(method);
      if (!accepting()) throw stopping();
      const valid = validateParams(method as string, params);
      authorizer.authorize(method, valid, call);
      // The channels weigh messages themselves, and remember only those whose id the caller gave.
      const prepared =
        method === 'publish'
          ? valid
          : prepareParams(method, valid, { messageBytes: options.messageBytes, ...source });
      const result = byConnection ? own.run(method, prepared, call) : handler?.(prepared as never, call);
      if (result instanceof Promise) {
        underWay++;
        result.then(done, done);
      }
      return result;
    },
  };
}

/** The error of a method of the protocol that this gateway, or this door of it, does not serve. */
function notServed(method: MethodName): GaterError {
  return new GaterError('not_supported', `${method} is not served here`, { details: { method } });
}

/** The error of new work while the gateway stops. */
export function stopping(): GaterError {
  return new GaterError('unavailable', 'the gateway is stopping');
}
