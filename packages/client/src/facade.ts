import { factsOf, METHOD_NAMES, type MethodsWith } from '@esdb-gater/protocol';
import type { CallMethod, CallOptions, PlainMethods } from './gater.ts';

/** The methods that carry events, in the same form: what the events of a program are, `Gater` says. */
type EventMethods = {
  readonly [M in MethodsWith<{ readonly carriesEvents: true }>]: (
    params: never,
    options?: CallOptions,
  ) => Promise<never>;
};

/** Returns every method that is a plain call, as a method of an object. */
export function createFacade(call: CallMethod): PlainMethods & EventMethods {
  const entries = METHOD_NAMES.filter((method) => factsOf(method).iterated !== true).map(
    (method) => [method, (params = {}, options?: CallOptions) => call(method, params, options)] as const,
  );
  return Object.fromEntries(entries) as unknown as PlainMethods & EventMethods;
}
