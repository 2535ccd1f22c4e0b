import {
  isIdempotent,
  type MethodName,
  type ParamsOf,
  prepareParams,
  type ResultOf,
  wasUnanswered,
} from '@esdb-gater/protocol';
import { withRetry } from '@esdb-gater/retry';
import { withSpan } from '@esdb-gater/telemetry';
import { GaterError } from '@esdb-gater/types';
import type { CallMethod, CallOptions } from '../gater.ts';
import type { OpenConnection, WithToken } from './connection.ts';
import type { ConnectionSettings } from './options.ts';

/**
 * Whether the client repeats a call: what never reached a gateway, what came back as `unavailable` or
 * `overloaded`, and, when it is idempotent, what was unanswered when its connection broke. All else that is
 * retriable the gateway has retried already.
 */
export function clientRetries(method: string, error: GaterError, retryRateLimited: boolean): boolean {
  switch (error.code) {
    case 'unavailable':
      return !wasUnanswered(error) || isIdempotent(method);
    case 'overloaded':
      return true;
    case 'rate_limited':
      return retryRateLimited;
    default:
      return false;
  }
}

/** The calls of a client over a connection, with the client's part of the retries. */
export function retryingCalls(connection: OpenConnection, settings: ConnectionSettings): CallMethod {
  const { policy, clock, random, logger } = settings;

  async function attempts<M extends MethodName>(
    method: M,
    params: WithToken<ParamsOf<M>>,
    options: CallOptions,
    trace: CallOptions,
  ): Promise<ResultOf<M>> {
    const timeoutMs = options.timeoutMs ?? settings.timeoutMs;
    const { retryRateLimited = false, signal } = options;
    let sent = false;
    let limit: AbortSignal | undefined;
    let refusal: { readonly error: GaterError; readonly attempts: number } | undefined;
    try {
      return await withRetry(
        (_, ended) => {
          limit = ended;
          return connection.call(method, params, {
            ...trace,
            signal: ended,
            onSent: () => {
              sent = true;
            },
          });
        },
        policy,
        {
          deadlineMs: timeoutMs,
          clock,
          random,
          shouldRetry: (error) => !connection.over && clientRetries(method, error, retryRateLimited),
          onRetry: ({ error, attempt, delayMs }) => {
            refusal = { error, attempts: attempt + 2 };
            logger.info({ method, attempt, delayMs, err: error }, 'a call is tried again');
          },
          ...(signal === undefined ? {} : { signal }),
        },
      );
    } catch (error) {
      // A timeout that a gateway answers is none of these.
      if (!GaterError.is(error) || error.code !== 'timeout' || error !== limit?.reason) throw error;
      // Why it was tried again says more than that there was no time left for the last attempt.
      if (refusal !== undefined) {
        const { code, message, details } = refusal.error;
        throw new GaterError(code, message, {
          details: { ...details, attempts: refusal.attempts },
          cause: error,
        });
      }
      if (sent) throw error;
      // Nobody was there to answer: that is another thing than an answer that did not come.
      throw new GaterError('unavailable', `no connection within ${timeoutMs} ms`, {
        cause: connection.lastError,
      });
    }
  }

  return async (method, params, options = {}) => {
    // Ids make an append and a publish the same one when they are sent again. What a message may weigh is for
    // the gateway to say.
    const prepared = prepareParams(method, params, { messageBytes: Number.POSITIVE_INFINITY });
    const { token, traceparent } = options;
    const withToken = token === undefined ? prepared : { ...prepared, token };
    const storeId = 'storeId' in params ? params.storeId : undefined;
    const subject = { kind: 'client', method, ...(typeof storeId === 'string' ? { storeId } : {}) } as const;
    return withSpan(subject, traceparent === undefined ? {} : { parent: options }, (trace) =>
      attempts(method, withToken, options, trace),
    );
  };
}
