import { factsOf, METHOD_NAMES, type MethodsWith } from '@esdb-gater/protocol';
import type { CallMethod, CallOptions } from './gater.ts';
import type { PlainMethods } from './plain-methods.ts';

/** The methods that carry events, in the same form. `Gater` gives them the event type of the program. */
type EventMethods = {
  readonly [M in MethodsWith<{ readonly carriesEvents: true }>]: (
    params: never,
    options?: CallOptions,
  ) => Promise<never>;
};

/** Returns an object with one function for each method of the protocol that is a plain call. */
export function createFacade(call: CallMethod): PlainMethods & EventMethods {
  const entries = METHOD_NAMES.filter((method) => factsOf(method).iterated !== true).map(
    (method) => [method, (params = {}, options?: CallOptions) => call(method, params, options)] as const,
  );
  return Object.fromEntries(entries) as unknown as PlainMethods & EventMethods;
}
