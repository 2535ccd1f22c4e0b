import { isTracing, withSpan } from '@esdb-gater/telemetry';
import type { CallContext, StoreMethod, StoreParamsOf, StoreResultOf, StoreWorker } from '@esdb-gater/types';

/**
 * A worker of this process whose calls are spans of the store. Calls outside of any trace, such as the probes of the
 * registry, are none.
 *
 * @param system what keeps the events, such as `sqlite`
 */
export function traceWorker(worker: StoreWorker, system: string): StoreWorker {
  return Object.freeze({
    ...worker,
    call<M extends StoreMethod>(
      method: M,
      params: StoreParamsOf<M>,
      context?: CallContext,
    ): Promise<StoreResultOf<M>> {
      if (context?.traceparent === undefined || !isTracing()) return worker.call(method, params, context);
      const subject = { kind: 'store', method, storeId: worker.storeId, system } as const;
      return withSpan(subject, { parent: context }, (trace) =>
        worker.call(method, params, { ...context, ...trace }),
      );
    },
  });
}
