import { onNextTurn, retryUntilAborted } from '@esdb-gater/primitives';
import { isWorkerMethod, validateParams } from '@esdb-gater/protocol';
import { calculateDelay, retryPolicy } from '@esdb-gater/retry';
import { withSpan } from '@esdb-gater/telemetry';
import {
  type Clock,
  GaterError,
  type Logger,
  type StoreWorker,
  silentLogger,
  systemClock,
} from '@esdb-gater/types';
import type { Connection } from './connection/connection.ts';

/** What serves a store: a `StoreWorker`, or as much of one as a gateway needs to know. */
export type ServedWorker = Pick<StoreWorker, 'storeId' | 'storeUuid' | 'methods' | 'call' | 'onCommitted'>;

export interface ServeWorkerOptions {
  /** @default made by the gateway at the first registration, and kept */
  readonly workerId?: string;
  readonly clock?: Clock;
  readonly logger?: Logger;
}

/** A store that is served through a connection. */
export interface ServedStore {
  readonly storeId: string;
  readonly workerId: string;
  /** Resolves when it is over; rejects when the gateway refused to have the worker back. */
  readonly ended: Promise<void>;
  /** Takes the worker out of the gateway; the store itself is not closed. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

const BACKOFF = retryPolicy();

/**
 * Serves a store through a connection: registers the worker, again after each reconnect, answers what the gateway
 * asks, and tells of commits, one notification for all that happened in a turn.
 *
 * Resolves when the worker is registered.
 *
 * @throws what the gateway answers to `registerWorker`, `invalid_argument` (reason `store_mismatch`) for example
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
  /** Ends what registers again, with the connection that it does so on. */
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
    // After the present turn, so that what is committed in it is told once.
    onNextTurn(() => {
      const newest = told;
      told = Number.POSITIVE_INFINITY;
      if (!over) connection.notify('committed', { storeId, position: newest });
    });
  });
  const stopServing = connection.serve(storeId, (method, params, context) => {
    const {
      deadlineMs,
      token: _,
      ...rest
    } = params as { readonly deadlineMs?: unknown; readonly token?: unknown };
    const serve = async (trace: object): Promise<unknown> => {
      if (!isWorkerMethod(method)) {
        throw new GaterError('not_supported', `no worker serves ${JSON.stringify(method.slice(0, 64))}`);
      }
      return worker.call(method, validateParams(method, rest), {
        ...trace,
        signal: context.signal,
        ...(typeof deadlineMs === 'number' && deadlineMs > 0 ? { deadlineMs } : {}),
      });
    };
    // Probes, and the feed that reads all the time, belong to no call.
    if (context.traceparent === undefined) return serve({});
    return withSpan({ kind: 'server', method, storeId }, { parent: context }, serve);
  });
  const stopListening = connection.listen({
    connected: registerAgain,
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
    // Without a connection the gateway has unregistered it already.
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
