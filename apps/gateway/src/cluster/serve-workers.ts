import { isWorkerMethod, type PeerContext, validateParams } from '@esdb-gater/protocol';
import { withSpan } from '@esdb-gater/telemetry';
import { type CallContext, GaterError, isName, isStoreId, type Registry } from '@esdb-gater/types';

/** A call of another node for a worker of this one. */
interface NamedCall {
  readonly storeId?: unknown;
  readonly workerId?: unknown;
  /** What the calling node believes that the worker serves. Absent from nodes up to 0.1.0. */
  readonly storeUuid?: unknown;
  readonly deadlineMs?: unknown;
}

/** The time limit of a call that names none. */
const DEADLINE_MS = 5_000;

/**
 * Serves the calls of other nodes for the workers of this one. Each names its worker, so that a call is never passed on to
 * a third node, and the data that it has to serve.
 *
 * @throws `not_supported` for what is not a method of workers, `unavailable` when the worker is not here (any more), what
 * the worker throws
 */
export function serveLocalWorker(
  { registry, nodeId }: { readonly registry: Registry; readonly nodeId: string },
  method: string,
  given: unknown,
  context: Pick<PeerContext, 'traceparent' | 'tracestate'>,
): Promise<unknown> {
  if (!isWorkerMethod(method)) {
    throw new GaterError(
      'not_supported',
      `${JSON.stringify(method.slice(0, 64))} is not a call between nodes`,
    );
  }
  const { workerId, storeUuid, deadlineMs, ...params } = given as NamedCall;
  const { storeId } = params;
  const worker = isStoreId(storeId) && isName(workerId) ? registry.find(storeId, workerId) : undefined;
  // Another worker may have the name by now: its data is not what the caller asks for.
  const isOther = storeUuid !== undefined && storeUuid !== worker?.storeUuid;
  if (worker === undefined || isOther || worker.nodeId !== nodeId) {
    throw new GaterError('unavailable', `node ${nodeId} does not have this worker`);
  }
  const callContext: CallContext = {
    // By a limit and not by a signal: a worker that hangs fails here, too.
    deadlineMs: typeof deadlineMs === 'number' && deadlineMs > 0 ? deadlineMs : DEADLINE_MS,
  };
  const valid = validateParams(method, params);
  // Only within a trace: the nodes also ask each other's workers without one.
  if (context.traceparent === undefined) return worker.call(method, valid, callContext);
  return withSpan({ kind: 'server', method, storeId: worker.storeId }, { parent: context }, (trace) =>
    worker.call(method, valid, { ...callContext, ...trace }),
  );
}
