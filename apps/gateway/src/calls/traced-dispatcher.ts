import { validTraceContext } from '@esdb-gater/primitives';
import { isMethodName } from '@esdb-gater/protocol';
import { isTracing, type RpcSubject, withSpan } from '@esdb-gater/telemetry';
import { isStoreId } from '@esdb-gater/types';
import type { Call } from '../access/caller.ts';
import type { Dispatcher } from './dispatcher.ts';

/** What the conventions call a method that is none: callers make up names, and names of spans must be few. */
const OTHER_METHOD = '_OTHER';

/**
 * Runs each call in a SERVER span under the trace context that came with it, and hands its own on. Without an SDK the
 * trace context that came is handed on, when it is valid.
 */
export function traceDispatcher(dispatcher: Dispatcher): Dispatcher {
  return {
    ...dispatcher,
    dispatch(method, params, call, source, own) {
      if (!isTracing()) return dispatcher.dispatch(method, params, checked(call), source, own);
      return withSpan(subjectOf(method, params), { parent: call }, async (trace) =>
        dispatcher.dispatch(method, params, { ...withoutTrace(call), ...trace }, source, own),
      );
    },
  };
}

function checked(call: Call): Call {
  return call.traceparent === undefined ? call : { ...withoutTrace(call), ...validTraceContext(call) };
}

function withoutTrace({ traceparent: _, tracestate: __, ...call }: Call): Call {
  return call;
}

function subjectOf(method: string, params: unknown): RpcSubject {
  const storeId =
    typeof params === 'object' && params !== null ? (params as { storeId?: unknown }).storeId : undefined;
  return {
    kind: 'server',
    method: isMethodName(method) ? method : OTHER_METHOD,
    ...(isStoreId(storeId) ? { storeId } : {}),
  };
}
