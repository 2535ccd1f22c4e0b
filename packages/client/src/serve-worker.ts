import { onNextTurn, retryUntilAborted } from '@esdb-gater/primitives';
import type { ReplacedNotice } from '@esdb-gater/protocol';
import { isWorkerMethod } from '@esdb-gater/protocol/calls';
import { calculateDelay, retryPolicy } from '@esdb-gater/retry';
import {
  type Clock,
  GaterError,
  invalidArgument,
  type Logger,
  type StoreWorker,
  silentLogger,
  systemClock,
} from '@esdb-gater/types';
import { withSpan } from '#tracing';
import type { Connection } from './connection/connection.ts';

/** The part of a `StoreWorker` that serving it through a gateway needs. */
export type ServedWorker = Pick<StoreWorker, 'storeId' | 'storeUuid' | 'methods' | 'call' | 'onCommitted'>;

export interface ServeWorkerOptions {
  /** @default the gateway creates one at the first registration, and it is kept */
  readonly workerId?: string;
  readonly clock?: Clock;
  readonly logger?: Logger;
}

/** A store that is served through a connection. */
export interface ServedStore {
  readonly storeId: string;
  readonly workerId: string;
  /**
   * Resolves after `close`; rejects when the gateway refused to register the worker again, and with `invalid_argument`,
   * reason `store_mismatch`, when another program has replaced it under its `workerId`, or another node serves other data
   * under the name of its store.
   */
  readonly ended: Promise<void>;
  /** Unregisters the worker. The store itself stays open. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

const BACKOFF = retryPolicy();

/**
 * Serves a store through a connection: registers the worker (again after each reconnect), answers the calls of the
 * gateway, and notifies it of commits, once per turn of the event loop.
 *
 * Resolves when the worker is registered.
 *
 * @throws the error that the gateway answers to `registerWorker`, such as `invalid_argument` (reason
 * `store_mismatch`)
 */
export async function serveWorker(
  connection: Connection,
  worker: ServedWorker,
  options: ServeWorkerOptions = {},
): Promise<ServedStore> {
  const { clock = systemClock, logger = silentLogger } = options;
  const { storeId, storeUuid } = worker;
  const ended = Promise.withResolvers<void>();
  ended.promise.catch(() => {});
  let workerId = options.workerId;
  let over = false;
  /** Stops the current attempts to register when their connection ends. */
  let registering: AbortController | undefined;

  async function register(): Promise<void> {
    const params = {
      storeId,
      methods: worker.methods,
      ...(storeUuid === undefined ? {} : { storeUuid }),
      ...(workerId === undefined ? {} : { workerId }),
    };
    ({ workerId } = await connection.call('registerWorker', params, { timeoutMs: 10_000 }));
  }

  function registerAgain(): void {
    registering?.abort();
    registering = new AbortController();
    void retryUntilAborted(register, {
      clock,
      signal: registering.signal,
      backoff: (failures) => calculateDelay(failures, BACKOFF),
      onFailure: (error) => {
        if (GaterError.is(error) && error.retriable) return;
        logger.error({ err: error, storeId }, 'the gateway refused the worker');
        stop();
        ended.reject(error);
      },
    });
  }

  let told = Number.POSITIVE_INFINITY;
  const stopCommits = worker.onCommitted?.((position) => {
    const waiting = told !== Number.POSITIVE_INFINITY;
    told = position;
    if (waiting) return;
    // After the current turn, so that all its commits need one notification.
    onNextTurn(() => {
      const newest = told;
      told = Number.POSITIVE_INFINITY;
      if (!over) connection.notify('committed', { storeId, position: newest });
    });
  });
  // Most pages serve no worker, and need no schemas.
  const validation = import('./worker-validation.ts');
  validation.catch(() => undefined);
  const stopServing = connection.serve(storeId, (method, params, context) => {
    const {
      deadlineMs,
      token: _,
      ...rest
    } = params as { readonly deadlineMs?: unknown; readonly token?: unknown };
    const serve = async (trace: object): Promise<unknown> => {
      if (!isWorkerMethod(method)) {
        throw new GaterError(
          'not_supported',
          `${JSON.stringify(method.slice(0, 64))} is not a method of workers`,
        );
      }
      const { validateParams } = await validation;
      return worker.call(method, validateParams(method, rest), {
        ...trace,
        signal: context.signal,
        ...(typeof deadlineMs === 'number' && deadlineMs > 0 ? { deadlineMs } : {}),
      });
    };
    // Probes and the reads of the feed do not belong to a call.
    if (context.traceparent === undefined) return serve({});
    return withSpan({ kind: 'server', method, storeId }, { parent: context }, serve);
  });
  const stopListening = connection.listen({
    connected: registerAgain,
    notification(method, params) {
      if (method !== 'replaced') return false;
      const { storeId: replaced, workerId: name } = params as ReplacedNotice;
      if (replaced !== storeId || name !== workerId) return false;
      logger.error(
        { storeId, workerId },
        'the worker was replaced: by another program of its name, or by a store with other data',
      );
      stop();
      ended.reject(
        invalidArgument(
          'store_mismatch',
          `worker ${workerId} of store ${storeId} was replaced: another program has its workerId, or another node serves other data under the name of the store`,
          { storeId, workerId },
        ),
      );
      return true;
    },
    disconnected: () => registering?.abort(),
    failed: (error) => {
      stop();
      ended.reject(error);
    },
  });

  function stop(): void {
    over = true;
    registering?.abort();
    stopCommits?.();
    stopServing();
    stopListening();
  }

  try {
    await register();
  } catch (error) {
    stop();
    throw error;
  }

  const close = async (): Promise<void> => {
    if (over) return;
    stop();
    ended.resolve();
    const named = workerId === undefined ? { storeId } : { storeId, workerId };
    // Without a connection the gateway has already unregistered the worker.
    await connection.call('unregisterWorker', named, { now: true, timeoutMs: 10_000 }).catch(() => {});
  };
  return {
    storeId,
    get workerId(): string {
      return workerId ?? '';
    },
    ended: ended.promise,
    close,
    [Symbol.asyncDispose]: close,
  };
}
