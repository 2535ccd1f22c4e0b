import { requireNumber } from '@esdb-gater/primitives';
import { isIdempotent, type ParamsOf, type ResultOf, wasUnanswered } from '@esdb-gater/protocol';
import {
  createRetryBudget,
  type RetryBudget,
  type RetryPolicy,
  type RetryPolicyOptions,
  retryPolicy,
  withRetry,
} from '@esdb-gater/retry';
import { emit, observeRequest, withSpan } from '@esdb-gater/telemetry';
import {
  type CallContext,
  type Clock,
  GaterError,
  type Registry,
  type StoreMethod,
  type StoreWorker,
  systemClock,
} from '@esdb-gater/types';
import { type StoreCallMethod, type WorkerRequest, workerRequest } from './worker-request.ts';

export interface StoreCallerComponents {
  readonly registry: Registry;
  readonly clock?: Clock;
  /** Uniform in 0 (inclusive) to 1. @default Math.random */
  readonly random?: () => number;
}

export interface StoreCallerOptions extends RetryPolicyOptions {
  /** Milliseconds of a call with all its attempts. @default 5 000 */
  readonly deadlineMs?: number;
  /** Milliseconds of one attempt, so that a worker that hangs leaves time for another. @default 2 000 */
  readonly attemptTimeoutMs?: number;
}

export interface StoreCallOptions {
  readonly signal?: AbortSignal;
  /** @default that of the caller */
  readonly deadlineMs?: number;
  readonly traceparent?: string;
  readonly tracestate?: string;
  /** The result is passed on as JSON: that of a read may be a `RawJson`. @default false */
  readonly asJson?: boolean;
}

/** Calls the workers of stores: picks one for each attempt, emits telemetry, and retries where that is safe. */
export interface StoreCaller {
  /**
   * Calls a method of a store. Parameters have been validated and prepared: an append is repeated, and that
   * is safe only because its events have their ids.
   *
   * @throws the worker's error; `store_not_found`, `no_workers`, `not_supported`; `timeout`; `retries_exhausted`
   * with `attempts` and `cause`; the signal's reason
   */
  call<M extends StoreCallMethod>(
    method: M,
    params: ParamsOf<M>,
    options?: StoreCallOptions,
  ): Promise<ResultOf<M>>;
  /** Runs `fn` with a worker of the store, and again with the next one while its error is retriable. */
  execute<T>(
    storeId: string,
    fn: (worker: StoreWorker) => T | PromiseLike<T>,
    policy?: RetryPolicyOptions,
  ): Promise<T>;
  /** Returns how many retries the calls of a store may use now; undefined for one that was never called. */
  retriesLeft(storeId: string): number | undefined;
}

interface Bounds {
  readonly deadlineMs: number;
  readonly attemptTimeoutMs: number;
}

function complete(options: StoreCallerOptions): Bounds {
  const { deadlineMs = 5_000, attemptTimeoutMs = 2_000 } = options;
  const rule = { reason: 'retry_options', above: 0, max: Number.POSITIVE_INFINITY } as const;
  requireNumber('deadlineMs', deadlineMs, rule);
  requireNumber('attemptTimeoutMs', attemptTimeoutMs, rule);
  return Object.freeze({ deadlineMs, attemptTimeoutMs });
}

class RetryingStoreCaller implements StoreCaller {
  readonly #registry: Registry;
  readonly #clock: Clock;
  readonly #random: (() => number) | undefined;
  readonly #policy: RetryPolicy;
  readonly #bounds: Bounds;
  /** One for each store: a store in trouble does not use up the retries of the others. */
  readonly #budgets = new Map<string, RetryBudget>();

  constructor({ registry, clock = systemClock, random }: StoreCallerComponents, options: StoreCallerOptions) {
    this.#registry = registry;
    this.#clock = clock;
    this.#random = random;
    this.#policy = retryPolicy(options);
    this.#bounds = complete(options);
  }

  async call<M extends StoreCallMethod>(
    method: M,
    params: ParamsOf<M>,
    options: StoreCallOptions = {},
  ): Promise<ResultOf<M>> {
    const request = workerRequest(method, params);
    const { storeId } = request.params;
    const { traceparent } = options;
    const parent = traceparent === undefined ? {} : { parent: options };
    const result = observeRequest(
      storeId,
      method,
      () =>
        withSpan({ kind: 'client', method: request.method, storeId }, parent, (trace) =>
          this.#attempts(request, options, trace),
        ),
      this.#clock,
    );
    // The worker may be called by another method, but its result has the type of this one.
    return result as Promise<ResultOf<M>>;
  }

  execute<T>(
    storeId: string,
    fn: (worker: StoreWorker) => T | PromiseLike<T>,
    policy: RetryPolicyOptions = this.#policy,
  ): Promise<T> {
    return observeRequest(
      storeId,
      'execute',
      () => this.#retry(storeId, policy, {}, async () => fn(this.#pick(storeId))),
      this.#clock,
    );
  }

  retriesLeft(storeId: string): number | undefined {
    return this.#budgets.get(storeId)?.left;
  }

  /**
   * Tries once without the machinery of retries, which costs more than a call that succeeds at once; from the first failure on,
   * with it.
   */
  async #attempts(
    request: WorkerRequest,
    options: StoreCallOptions,
    trace: Pick<CallContext, 'traceparent' | 'tracestate'>,
  ): Promise<unknown> {
    const { storeId } = request.params;
    const { signal, deadlineMs = this.#bounds.deadlineMs } = options;
    const { attemptTimeoutMs } = this.#bounds;
    const end = this.#clock.monotonic() + deadlineMs;
    const context = options.asJson === true ? { ...trace, asJson: true } : trace;
    let asked: StoreWorker | undefined;
    const call = (worker: StoreWorker, leftMs: number, own: AbortSignal | undefined): Promise<unknown> => {
      // In another database a repetition would be another call.
      if (asked !== undefined && asked.storeUuid !== worker.storeUuid)
        return Promise.reject(replaced(storeId));
      asked = worker;
      return worker.call(request.method, request.params, {
        ...context,
        ...(own === undefined ? {} : { signal: own }),
        deadlineMs: Math.max(1, Math.floor(Math.min(attemptTimeoutMs, leftMs))),
      });
    };
    const again = (first: ((own: AbortSignal) => Promise<unknown>) | undefined, leftMs: number) =>
      this.#retry(
        storeId,
        this.#policy,
        {
          deadlineMs: leftMs,
          attemptTimeoutMs,
          ...(signal === undefined ? {} : { signal }),
          ...(isIdempotent(request.method) ? {} : { shouldRetry: neverTwice }),
        },
        (attempt, own) =>
          attempt === 0 && first !== undefined
            ? first(own)
            : call(this.#pick(storeId, request.needs), end - this.#clock.monotonic(), own),
      );
    // What cannot begin, or has limits that are not numbers, fails there.
    if (signal?.aborted === true || !(deadlineMs > 0)) return again(undefined, deadlineMs);
    let failure: unknown;
    try {
      const worker = this.#pick(storeId, request.needs);
      // Nobody but a registry of another make returns one that may hang.
      if (worker.endsInTime !== true) return again((own) => call(worker, deadlineMs, own), deadlineMs);
      const result = await call(worker, deadlineMs, signal);
      this.#budgetOf(storeId).recordCall();
      return result;
    } catch (error) {
      failure = error;
    }
    // Its failure is that of the first attempt, also when the deadline has passed meanwhile.
    const leftMs = Math.max(Number.MIN_VALUE, end - this.#clock.monotonic());
    return again(() => Promise.reject(failure), leftMs);
  }

  #budgetOf(storeId: string): RetryBudget {
    let budget = this.#budgets.get(storeId);
    if (budget === undefined) {
      budget = createRetryBudget({ clock: this.#clock });
      this.#budgets.set(storeId, budget);
    }
    return budget;
  }

  #pick(storeId: string, needs?: StoreMethod): StoreWorker {
    return this.#registry.pick(storeId, needs);
  }

  async #retry<T>(
    storeId: string,
    policy: RetryPolicyOptions,
    bounds: {
      readonly deadlineMs?: number;
      readonly attemptTimeoutMs?: number;
      readonly signal?: AbortSignal;
      readonly shouldRetry?: (error: GaterError) => boolean;
    },
    attempt: (attempt: number, signal: AbortSignal) => T | PromiseLike<T>,
  ): Promise<T> {
    const budget = this.#budgetOf(storeId);
    try {
      return await withRetry(attempt, policy, {
        ...bounds,
        budget,
        clock: this.#clock,
        ...(this.#random === undefined ? {} : { random: this.#random }),
        onRetry: ({ attempt, delayMs, error }) => {
          emit(
            'esdb_gater.retry.attempt',
            { delay_ms: delayMs, attempt: attempt + 1 },
            { store_id: storeId, reason: error.code },
          );
        },
      });
    } catch (error) {
      // Names that callers make up must not pile up here.
      if (GaterError.is(error) && error.code === 'store_not_found') this.#budgets.delete(storeId);
      reportExhausted(storeId, error);
      throw error;
    }
  }
}

function replaced(storeId: string): GaterError {
  return new GaterError('unavailable', `store ${storeId} was replaced by another one during the call`, {
    details: { storeId },
  });
}

/** For methods that are not idempotent: no retry after an attempt that may have succeeded. */
function neverTwice(error: GaterError): boolean {
  return error.code !== 'timeout' && !wasUnanswered(error);
}

function reportExhausted(storeId: string, error: unknown): void {
  if (!GaterError.is(error) || error.code !== 'retries_exhausted') return;
  const { attempts, cause } = error.details;
  emit(
    'esdb_gater.retry.exhausted',
    { total_attempts: Number(attempts) },
    { store_id: storeId, reason: String(cause) },
  );
}

/**
 * @throws `invalid_argument` for a wrong option
 */
export function createStoreCaller(
  components: StoreCallerComponents,
  options: StoreCallerOptions = {},
): StoreCaller {
  return new RetryingStoreCaller(components, options);
}
