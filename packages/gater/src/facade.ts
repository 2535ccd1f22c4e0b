import type { MethodsWith, ParamsOf } from '@esdb-gater/protocol';
import { factsOf, METHOD_NAMES } from '@esdb-gater/protocol/calls';
import type { CallMethod, CallOptions } from './gater.ts';
import { type InStore, inStore, namesStore } from './in-store.ts';
import type { PlainMethods } from './plain-methods.ts';

/** The methods that carry events, in the same form. `Gater` gives them the event type of the program. */
type EventMethods = {
  readonly [M in MethodsWith<{ readonly carriesEvents: true }>]: (
    params: never,
    options?: CallOptions,
  ) => Promise<never>;
};

/**
 * Returns an object with one function for each method of the protocol that is a plain call.
 *
 * @param storeId the store of calls that name none
 */
export function createFacade(call: CallMethod, storeId?: string): PlainMethods & EventMethods {
  const entries = METHOD_NAMES.filter((method) => factsOf(method).iterated !== true).map((method) => {
    const own = namesStore(method) ? storeId : undefined;
    const run = (params: InStore<ParamsOf<typeof method>> = {}, options?: CallOptions) =>
      call(method, inStore(params, own), options);
    return [method, run] as const;
  });
  return Object.fromEntries(entries) as unknown as PlainMethods & EventMethods;
}
