import { GaterError, invalidArgument, type StoreWorker } from '@esdb-gater/types';
import type { CompleteOptions } from './options.ts';
import type { RegisteredWorker } from './registered-worker.ts';

/**
 * The workers of one store, picked round robin. A pick costs two look-ups for any number of workers: the list of
 * workers for each method is computed once after each change.
 */
export class StoreWorkers {
  readonly #storeId: string;
  readonly #options: CompleteOptions;
  readonly #workers = new Map<string, RegisteredWorker>();
  /** The workers that may be picked, by method. Emptied by every change. */
  readonly #eligible = new Map<string | undefined, readonly RegisteredWorker[]>();
  /**
   * One counter for all methods and callers. It survives changes, so that picks do not start with the same worker
   * again.
   */
  #turn: number;

  /** @param firstTurn the number of the first pick */
  constructor(storeId: string, options: CompleteOptions, firstTurn: number) {
    this.#storeId = storeId;
    this.#options = options;
    this.#turn = firstTurn;
  }

  get(workerId: string): RegisteredWorker | undefined {
    return this.#workers.get(workerId);
  }

  all(): IterableIterator<RegisteredWorker> {
    return this.#workers.values();
  }

  isEmpty(): boolean {
    return this.#workers.size === 0;
  }

  live(): RegisteredWorker[] {
    return [...this.#workers.values()].filter((worker) => worker.live);
  }

  set(worker: RegisteredWorker): void {
    this.#workers.set(worker.workerId, worker);
    this.changed();
  }

  delete(workerId: string): void {
    this.#workers.delete(workerId);
    this.changed();
  }

  /** A worker came, went, was ejected or restored. */
  changed(): void {
    this.#eligible.clear();
  }

  /** @throws `no_workers`; `not_supported` */
  next(method: string | undefined): RegisteredWorker {
    const eligible = this.#eligible.get(method) ?? this.#findEligible(method);
    const worker = eligible[this.#turn++ % eligible.length];
    if (worker === undefined) throw this.#nobody(method);
    return worker;
  }

  /**
   * All workers of a store must serve the same data, which only a common `storeUuid` proves: a worker without one must
   * be the only worker. A worker may come back to its own node with another one; elsewhere its name does not make it the
   * same worker.
   *
   * @throws `invalid_argument` (reason `store_mismatch`)
   */
  checkUuid({ workerId, nodeId, storeUuid }: StoreWorker): void {
    for (const other of this.#workers.values()) {
      const isSameData = storeUuid === other.storeUuid;
      if (isSameData && storeUuid !== undefined) continue;
      if (other.workerId === workerId && (isSameData || other.nodeId === nodeId)) continue;
      // The error names no uuid: whoever knows it can pass as a worker of the store.
      throw invalidArgument(
        'store_mismatch',
        `worker ${workerId} must have the same storeUuid as the live workers of store ${this.#storeId}`,
        { storeId: this.#storeId, workerId },
      );
    }
  }

  #findEligible(method: string | undefined): readonly RegisteredWorker[] {
    const { policy, nodeId } = this.#options;
    const live = this.live();
    const serving = method === undefined ? live : live.filter(({ methods }) => methods.includes(method));
    const local = policy === 'local-first' ? serving.filter((worker) => worker.nodeId === nodeId) : [];
    const eligible = local.length > 0 ? local : serving;
    // Not cached when no worker serves the method: callers choose the names, so their number has no bound.
    if (eligible.length > 0) this.#eligible.set(method, eligible);
    return eligible;
  }

  #nobody(method: string | undefined): GaterError {
    const storeId = this.#storeId;
    if (method === undefined || this.live().length === 0) {
      return noWorkers(storeId);
    }
    return new GaterError('not_supported', `no worker of store ${storeId} serves ${method}`, {
      details: { storeId, method },
    });
  }
}

/** Creates the error for a known store without a live worker. */
export function noWorkers(storeId: string): GaterError {
  return new GaterError('no_workers', `store ${storeId} has no live worker`, { details: { storeId } });
}
