import { isMethodName, METHODS, unknownMethod } from '@esdb-gater/protocol';
import {
  type AppendEventsParams,
  GaterError,
  type GetEventsParams,
  type ReadAllParams,
} from '@esdb-gater/types';

/** A call of a store as a worker is asked for it. */
export interface WorkerRequest {
  readonly method: string;
  readonly params: { readonly storeId: string };
  /** The method that a worker must name to serve this call. */
  readonly needs: string;
}

/**
 * Translates a call of a store: the two reads by direction become `getEvents`, and what carries a query or a
 * condition needs a worker that knows queries. One that does not would leave it out, and say nothing.
 *
 * @throws `not_supported` for what no worker serves
 */
export function workerRequest(method: string, params: unknown): WorkerRequest {
  if (!isMethodName(method)) throw unknownMethod(method);
  switch (method) {
    case 'streamForward':
    case 'streamBackward': {
      const direction = method === 'streamForward' ? 'forward' : 'backward';
      const read: GetEventsParams = { ...(params as GetEventsParams), direction };
      return { method: 'getEvents', params: read, needs: 'getEvents' };
    }
    case 'readAll': {
      const read = params as ReadAllParams;
      const asked = read.query === undefined ? 'readAll' : 'queryEvents';
      return { method: asked, params: read, needs: asked };
    }
    case 'appendEvents': {
      const append = params as AppendEventsParams;
      return { method, params: append, needs: append.condition === undefined ? method : 'queryEvents' };
    }
    default:
      if (METHODS[method].servedBy !== 'store') {
        throw new GaterError('not_supported', `${method} is no call of a store`);
      }
      return { method, params: params as { readonly storeId: string }, needs: method };
  }
}
