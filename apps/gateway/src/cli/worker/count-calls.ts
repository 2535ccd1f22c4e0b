import type { StoreMethod, StoreParamsOf, StoreWorker } from '@esdb-gater/types';

/** A worker whose calls in flight can be waited for. */
export interface CountedWorker {
  readonly worker: StoreWorker;
  /** Resolves when no call is in flight. */
  idle(): Promise<void>;
}

/** Wraps a worker, so that a stop can wait for its calls. */
export function countCalls(worker: StoreWorker): CountedWorker {
  let inFlight = 0;
  let waiting: (() => void)[] = [];
  const done = (): void => {
    inFlight -= 1;
    if (inFlight > 0) return;
    for (const resolve of waiting) resolve();
    waiting = [];
  };
  return {
    worker: {
      ...worker,
      call<M extends StoreMethod>(
        method: M,
        params: StoreParamsOf<M>,
        context?: Parameters<StoreWorker['call']>[2],
      ) {
        inFlight += 1;
        return worker.call(method, params, context).finally(done);
      },
    },
    idle: () => (inFlight === 0 ? Promise.resolve() : new Promise((resolve) => waiting.push(resolve))),
  };
}
