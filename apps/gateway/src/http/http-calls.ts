import { onNextTurn } from '@esdb-gater/primitives';
import type { MethodName, ResultOf } from '@esdb-gater/protocol';
import { RawJson, type Subscriptions } from '@esdb-gater/types';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Authorizer } from '../access/authorizer.ts';
import type { Call } from '../access/caller.ts';
import { bearerToken, callerOf, makerOf } from '../access/caller.ts';
import type { GrantVerifier } from '../access/grants.ts';
import type { OutboundBudget } from '../access/outbound-budget.ts';
import type { ConnectionMethods, Dispatcher } from '../calls/dispatcher.ts';
import { hasLargeAnswer } from '../calls/large-answers.ts';

/** The path of revocations, whose body is limited since it needs no token. */
export const REVOCATIONS_PATH = '/v1/revocations';

export interface HttpCallsComponents {
  readonly dispatcher: Dispatcher;
  readonly subscriptions: Pick<Subscriptions, 'save'>;
  readonly authorizer: Authorizer;
  readonly grants: GrantVerifier;
  readonly outbound: Pick<OutboundBudget, 'enter' | 'leave'>;
}

/** Turns HTTP requests into calls of the gateway. */
export interface HttpCalls {
  /** Returns the caller and the token of a request. @throws `unauthorized` when the token is not valid */
  call(request: FastifyRequest): Call;
  /** Requires a valid token where the mode does. @throws `unauthorized` without one */
  demandToken(request: FastifyRequest): void;
  /** Requires what the call of a request requires, before its body is read. @throws `unauthorized` */
  demandTokenBeforeBody(request: FastifyRequest): void;
  /** Calls a method for a request. @throws a `GaterError` */
  run<M extends MethodName>(request: FastifyRequest, method: M, params: object): Promise<ResultOf<M>>;
}

export function createHttpCalls({
  dispatcher,
  subscriptions,
  authorizer,
  grants,
  outbound,
}: HttpCallsComponents): HttpCalls {
  // A request makes a subscription without joining it: events are delivered over WebSocket.
  const own: Partial<ConnectionMethods> = {
    saveSubscription: async (params, one) => ({
      subscription: await subscriptions.save(params, makerOf(one)),
    }),
  };

  function call(request: FastifyRequest): Call {
    const { authorization, traceparent, tracestate } = request.headers;
    const token = authorizer.mode === 'disabled' ? undefined : bearerToken(authorization);
    return {
      caller: callerOf(request.raw),
      ...(token === undefined ? {} : { grant: grants.verify(token, []) }),
      ...(typeof traceparent === 'string' ? { traceparent } : {}),
      ...(typeof tracestate === 'string' ? { tracestate } : {}),
    };
  }
  return {
    call,
    demandToken: (request) => authorizer.demandToken('health', {}, call(request)),
    demandTokenBeforeBody(request) {
      // A revocation proves itself. All other calls with a body fall under the mode, or that of the channel in the path.
      const method = request.routeOptions.url === REVOCATIONS_PATH ? 'revokeToken' : 'appendEvents';
      authorizer.demandToken(method, request.params, call(request));
    },
    async run<M extends MethodName>(
      request: FastifyRequest,
      method: M,
      params: object,
    ): Promise<ResultOf<M>> {
      const closed = new AbortController();
      const onClose = (): void => closed.abort();
      request.raw.socket.once('close', onClose);
      const isLarge = hasLargeAnswer(method);
      if (isLarge) await outbound.enter();
      try {
        const source = Buffer.isBuffer(request.body)
          ? { frameUnits: request.body.length }
          : { frameUnits: 0 };
        const result = dispatcher.dispatch(
          method,
          params,
          { ...call(request), signal: closed.signal },
          source,
          own,
        );
        // The handler of a method returns that method's result.
        return (await result) as ResultOf<M>;
      } finally {
        // The answer is written in this turn; then what of it waits is known.
        if (isLarge) onNextTurn(() => outbound.leave(request.raw.socket.writableLength));
        request.raw.socket.off('close', onClose);
      }
    },
  };
}

/** Answers a result as JSON. */
export function sendJson(reply: FastifyReply, result: unknown, status: number = 200): FastifyReply {
  // As bytes, which the garbage collector knows the size of while they wait to be sent. A text it would not hurry to free.
  const body = Buffer.from(result instanceof RawJson ? result.text : JSON.stringify(result));
  return reply.code(status).type('application/json; charset=utf-8').send(body);
}

/** Returns the named parts of a request's path. */
export function partsOf<const N extends string>(
  request: FastifyRequest,
  ..._names: readonly N[]
): Readonly<Record<N, string>> {
  return request.params as Readonly<Record<N, string>>;
}
