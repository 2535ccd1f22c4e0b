import type { MethodName } from '@esdb-gater/protocol';
import { factsOf } from '@esdb-gater/protocol/calls';

/** The parameters of a call, whose store may be left out when the client has one; see the option `storeId`. */
export type InStore<P> = P extends { readonly storeId: string }
  ? Omit<P, 'storeId'> & { readonly storeId?: string }
  : P;

/** Targets of permissions that belong to a store. */
const IN_STORE = /^(stream|store|snapshot|subscription|worker)/;

/** Returns whether the parameters of a method name a store. */
export function namesStore(method: MethodName): boolean {
  return method === 'quickHealthCheck' || IN_STORE.test(factsOf(method).target ?? '');
}

/** Adds the client's store to parameters that name none. */
export function inStore<P>(params: InStore<P>, storeId: string | undefined): P {
  const { storeId: given } = params as { readonly storeId?: string };
  return (given !== undefined || storeId === undefined ? params : { ...params, storeId }) as P;
}
