import {
  isMethodName,
  isServedBy,
  isWorkerMethod,
  type MethodsWith,
  type ParamsOf,
  unknownMethod,
} from '@esdb-gater/protocol';
import { GaterError, type StoreMethod, type StoreParamsOf } from '@esdb-gater/types';

/** A method of a store, before it is translated to the method that the worker serves. */
export type StoreCallMethod = MethodsWith<{ readonly servedBy: 'store' }>;

/** A call of a store as a worker is asked for it. */
export interface WorkerRequest {
  readonly method: StoreMethod;
  readonly params: StoreParamsOf<StoreMethod>;
  /** The method that a worker must name to serve this call. */
  readonly needs: StoreMethod;
}

/**
 * The calls that are translated for the worker: the reads by direction become `getEvents`, and a call with a query or a
 * condition needs a worker that supports queries. Other workers would ignore the query.
 */
const TRANSLATED: { readonly [M in StoreCallMethod]?: (params: ParamsOf<M>) => WorkerRequest } = {
  streamForward: (params) => asks('getEvents', { ...params, direction: 'forward' }),
  streamBackward: (params) => asks('getEvents', { ...params, direction: 'backward' }),
  readAll: (params) => asks(params.query === undefined ? 'readAll' : 'queryEvents', params),
  appendEvents: (params) =>
    asks('appendEvents', params, params.condition === undefined ? 'appendEvents' : 'queryEvents'),
};

function asks(
  method: StoreMethod,
  params: StoreParamsOf<StoreMethod>,
  needs: StoreMethod = method,
): WorkerRequest {
  return { method, params, needs };
}

/**
 * Translates a store call to the worker's method and parameters.
 *
 * @throws `not_supported` for a method that workers do not serve
 */
export function workerRequest<M extends StoreCallMethod>(method: M, params: ParamsOf<M>): WorkerRequest {
  if (!isMethodName(method)) throw unknownMethod(method);
  if (!isServedBy(method, 'store'))
    throw new GaterError('not_supported', `${method} is not a call of a store`);
  const translate = TRANSLATED[method];
  if (translate !== undefined) return translate(params);
  if (isWorkerMethod(method)) return asks(method, params);
  throw new GaterError('not_supported', `no worker serves ${method}`);
}
