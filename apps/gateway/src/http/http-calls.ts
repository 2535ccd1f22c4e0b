import type { MethodName, ResultOf } from '@esdb-gater/protocol';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Authorizer } from '../access/authorizer.ts';
import type { Call } from '../access/caller.ts';
import { bearerToken, callerOf } from '../access/caller.ts';
import type { GrantVerifier } from '../access/grants.ts';
import type { Dispatcher } from '../calls/dispatcher.ts';

export interface HttpCallsComponents {
  readonly dispatcher: Dispatcher;
  readonly authorizer: Authorizer;
  readonly grants: GrantVerifier;
}

/** Makes calls of the gateway out of requests. */
export interface HttpCalls {
  /** Who calls with what token. @throws `unauthorized` when the token is no good */
  call(request: FastifyRequest): Call;
  /** @throws `unauthorized` when a token is required and this request has none that is valid */
  demandToken(request: FastifyRequest): void;
  /** Runs a method for a request; its result is the method's. @throws a `GaterError` */
  run<M extends MethodName>(request: FastifyRequest, method: M, params: object): Promise<ResultOf<M>>;
}

export function createHttpCalls({ dispatcher, authorizer, grants }: HttpCallsComponents): HttpCalls {
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
    async run<M extends MethodName>(
      request: FastifyRequest,
      method: M,
      params: object,
    ): Promise<ResultOf<M>> {
      const gone = new AbortController();
      const onClose = (): void => gone.abort();
      request.raw.socket.once('close', onClose);
      try {
        const source = Buffer.isBuffer(request.body)
          ? { frameUnits: request.body.length }
          : { frameUnits: 0 };
        const result = dispatcher.dispatch(method, params, { ...call(request), signal: gone.signal }, source);
        // What serves a method by its name answers with its result.
        return (await result) as ResultOf<M>;
      } finally {
        request.raw.socket.off('close', onClose);
      }
    },
  };
}

/** Answers a result as JSON. */
export function sendJson(reply: FastifyReply, result: unknown, status: number = 200): FastifyReply {
  return reply.code(status).type('application/json; charset=utf-8').send(JSON.stringify(result));
}

/** The parts of a path that a route names. */
export function partsOf<const N extends string>(
  request: FastifyRequest,
  ..._names: readonly N[]
): Readonly<Record<N, string>> {
  return request.params as Readonly<Record<N, string>>;
}
