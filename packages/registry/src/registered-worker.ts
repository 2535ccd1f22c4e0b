import { watchLimits, withLimit } from '@esdb-gater/primitives';
import { isTracing, withSpan } from '@esdb-gater/telemetry';
import {
  type CallContext,
  type Clock,
  GaterError,
  type StoreMethod,
  type StoreParamsOf,
  type StoreResultOf,
  type StoreWorker,
  type WorkerInfo,
  type WorkerState,
} from '@esdb-gater/types';
import type { CompleteOptions } from './options.ts';
import { isWorkerFailure, WorkerHealth } from './worker-health.ts';

export interface RegisteredWorkerComponents {
  readonly clock: Clock;
  /** Ends probes under way. */
  readonly closing: AbortSignal;
  /** Whether another worker of the store is live. */
  readonly hasOthers: (self: RegisteredWorker) => boolean;
  /** Called after each ejection and restoration. */
  readonly changed: (self: RegisteredWorker) => void;
}

/**
 * A worker as the registry returns it: the results of its calls update its health. Once it is unregistered or replaced
 * by a later incarnation, it is fenced: new calls fail with `unavailable`, calls in flight may finish.
 */
export class RegisteredWorker implements StoreWorker {
  readonly storeId: string;
  readonly storeUuid?: string;
  readonly workerId: string;
  readonly nodeId: string;
  readonly incarnation: number;
  readonly registeredAt: number;
  readonly methods: readonly string[];
  readonly keepsSubscriptions?: boolean;
  readonly onCommitted?: (listener: (position: number) => void) => () => void;
  readonly endsInTime = true;
  /** The same without a way to call it. */
  readonly info: WorkerInfo;
  readonly #worker: StoreWorker;
  readonly #health: WorkerHealth;
  readonly #clock: Clock;
  readonly #closing: AbortSignal;
  #fenced = false;

  constructor(worker: StoreWorker, components: RegisteredWorkerComponents, options: CompleteOptions) {
    const { storeId, storeUuid, workerId, nodeId, incarnation, registeredAt, methods } = worker;
    this.storeId = storeId;
    if (storeUuid !== undefined) this.storeUuid = storeUuid;
    this.workerId = workerId;
    this.nodeId = nodeId;
    this.incarnation = incarnation;
    this.registeredAt = registeredAt;
    this.methods = methods;
    if (worker.keepsSubscriptions === true) this.keepsSubscriptions = true;
    if (worker.onCommitted !== undefined) this.onCommitted = worker.onCommitted.bind(worker);
    const uuid = storeUuid === undefined ? {} : { storeUuid };
    this.info = Object.freeze({ storeId, ...uuid, workerId, nodeId, incarnation, registeredAt });
    this.#worker = worker;
    this.#clock = components.clock;
    this.#closing = components.closing;
    const { clock, hasOthers, changed } = components;
    this.#health = new WorkerHealth(
      {
        clock,
        probe: () => this.#ask(options.probeTimeoutMs),
        hasOthers: () => hasOthers(this),
        changed: () => changed(this),
      },
      options,
    );
  }

  get live(): boolean {
    return this.#health.live;
  }

  get state(): WorkerState {
    const { failures, ejectedForMs, live, probing } = this.#health;
    const { methods, keepsSubscriptions } = this;
    const keeps = keepsSubscriptions === undefined ? {} : { keepsSubscriptions };
    return { ...this.info, methods, ...keeps, live, failures, ejectedForMs, probing };
  }

  /** True when this is the registration of that very object. */
  isOf(worker: StoreWorker): boolean {
    return this.#worker === worker;
  }

  /**
   * Calls the worker. Rejects when `context.signal` aborts or `context.deadlineMs` passes, even when the worker ignores
   * both.
   *
   * @throws a `GaterError`, or the reason of `context.signal`
   */
  call<M extends StoreMethod>(
    method: M,
    params: StoreParamsOf<M>,
    context: CallContext = {},
  ): Promise<StoreResultOf<M>> {
    if (this.#fenced) return Promise.reject(this.#gone());
    const { signal, deadlineMs } = context;
    if (this.#worker.endsInTime === true || (signal === undefined && deadlineMs === undefined)) {
      return this.#settled(this.#begun(method, params, context), signal);
    }
    return this.#limited(method, params, context);
  }

  /** One question to the worker, which counts as any other call. True when it answered. */
  async check(timeoutMs: number): Promise<boolean> {
    try {
      await this.#ask(timeoutMs);
    } catch {
      if (!this.#closing.aborted) this.#health.failed();
      return false;
    }
    this.#health.succeeded();
    return true;
  }

  /** New calls are refused from now on. */
  fence(): void {
    this.#fenced = true;
    this.stop();
  }

  /** No further probe is made. */
  stop(): void {
    this.#health.end();
  }

  async #ask(timeoutMs: number): Promise<void> {
    const context = { deadlineMs: timeoutMs };
    const ask = (signal: AbortSignal): Promise<unknown> =>
      this.#begun('quickHealthCheck', { storeId: this.storeId }, { ...context, signal });
    try {
      await withLimit(ask, { limitMs: timeoutMs, signal: this.#closing, clock: this.#clock });
    } catch (error) {
      // The worker answered with an error, so it is alive.
      if (this.#closing.aborted || isWorkerFailure(error)) throw error;
    }
  }

  /**
   * The call as a promise: errors that are thrown synchronously become rejections. Within a trace a call to a worker of
   * this process is a span.
   */
  #begun<M extends StoreMethod>(
    method: M,
    params: StoreParamsOf<M>,
    context: CallContext,
  ): Promise<StoreResultOf<M>> {
    const { storeId, system } = this.#worker;
    try {
      if (system === undefined || context.traceparent === undefined || !isTracing()) {
        return this.#worker.call(method, params, context);
      }
      return withSpan({ kind: 'store', method, storeId, system }, { parent: context }, (trace) =>
        this.#worker.call(method, params, { ...context, ...trace }),
      );
    } catch (error) {
      return Promise.reject(error);
    }
  }

  #settled<T>(call: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    return call.then(
      (result) => {
        this.#health.succeeded();
        return result;
      },
      (error: unknown) => {
        if (signal?.aborted === true && error === signal.reason) {
          this.#ended(error);
          throw error;
        }
        this.#count(error);
        throw GaterError.from(error);
      },
    );
  }

  /**
   * Rejects at the limits of the call, so that a worker that hangs is detected although its call never settles. The worker
   * gets a signal that aborts then; nothing here listens to it, as that costs more than all the rest.
   */
  #limited<M extends StoreMethod>(
    method: M,
    params: StoreParamsOf<M>,
    context: CallContext,
  ): Promise<StoreResultOf<M>> {
    const { signal, deadlineMs } = context;
    if (signal?.aborted === true) return Promise.reject(signal.reason);
    return new Promise((resolve, reject) => {
      let over = false;
      const controller = deadlineMs === undefined ? undefined : new AbortController();
      const limits = { signal, timeoutMs: deadlineMs, clock: this.#clock };
      const stop = watchLimits(limits, (reason) => {
        over = true;
        this.#ended(reason);
        reject(reason);
        controller?.abort(reason);
      });
      const own = controller === undefined ? context : { ...context, signal: controller.signal };
      this.#begun(method, params, own).then(
        (result) => {
          if (over) return;
          stop();
          this.#health.succeeded();
          resolve(result);
        },
        (error: unknown) => {
          if (over) return;
          stop();
          this.#count(error);
          reject(GaterError.from(error));
        },
      );
    });
  }

  /** Only a time limit that has passed counts against the worker: the caller may also have aborted for reasons of its own. */
  #ended(reason: unknown): void {
    if (GaterError.is(reason) && reason.code === 'timeout') this.#health.failed();
  }

  #count(error: unknown): void {
    if (isWorkerFailure(error)) this.#health.failed();
    else this.#health.succeeded();
  }

  #gone(): GaterError {
    const { storeId, workerId } = this;
    return new GaterError(
      'unavailable',
      `the worker ${workerId} of store ${storeId} is no longer registered`,
      {
        details: { storeId, workerId },
      },
    );
  }
}
