import type { CallMethod, CallOptions } from '@esdb-gater/gater';
import type { MethodName, ParamsOf, ResultOf } from '@esdb-gater/protocol';
import { isIdempotent, prepareParams, wasUnanswered } from '@esdb-gater/protocol/calls';
import { withRetry } from '@esdb-gater/retry';
import { GaterError } from '@esdb-gater/types';
import { withSpan } from '#tracing';
import { cannotConnect, type OpenConnection, type WithToken } from './connection.ts';
import { limitsOf } from './establish.ts';
import type { ConnectionSettings } from './options.ts';

/**
 * Returns whether the client repeats a call: one that never reached a gateway, one that was answered with
 * `unavailable` or `overloaded`, or an idempotent one that was unanswered when its connection broke. The gateway has
 * already retried other retriable errors.
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

/** Creates the calls of a client over a connection, with the retries of the client. */
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
          sent = false;
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
            logger.info({ method, attempt, delayMs, err: error }, 'retrying a call');
          },
          ...(signal === undefined ? {} : { signal }),
        },
      );
    } catch (error) {
      // A timeout that a gateway answered is passed on.
      if (!GaterError.is(error) || error.code !== 'timeout' || error !== limit?.reason) throw error;
      // Without a connection, the reason for that says more than any earlier error.
      if (!sent) throw cannotConnect(connection, timeoutMs);
      // The error that caused the retry says more than the timeout of the last attempt.
      if (refusal !== undefined) {
        const { code, message, details } = refusal.error;
        throw new GaterError(code, message, {
          details: { ...details, attempts: refusal.attempts },
          cause: error,
        });
      }
      throw error;
    }
  }

  return async (method, params, options = {}) => {
    // Ids make a repeated append or publish the same one. A gateway without `limits` checks the sizes itself.
    const { messageBytes = Number.POSITIVE_INFINITY } = limitsOf(connection.hello);
    const prepared = prepareParams(method, params, { messageBytes });
    const { token, traceparent } = options;
    const withToken = token === undefined ? prepared : { ...prepared, token };
    const storeId = 'storeId' in params ? params.storeId : undefined;
    const subject = { kind: 'client', method, ...(typeof storeId === 'string' ? { storeId } : {}) } as const;
    return withSpan(subject, traceparent === undefined ? {} : { parent: options }, (trace) =>
      attempts(method, withToken, options, trace),
    );
  };
}
