import { isWorkerMethod, type ParamsOf, type Peer, type ReplacedNotice } from '@esdb-gater/protocol';
import { createRemoteWorker, type RemoteWorker } from '@esdb-gater/registry';
import {
  type Clock,
  GaterError,
  invalidArgument,
  isStoreId,
  type Registry,
  type WorkerInfo,
} from '@esdb-gater/types';
import type { StoreConfig } from '../config/types.ts';
import type { AppendTraces } from '../telemetry/append-traces.ts';

export interface WorkerHostComponents {
  readonly registry: Registry;
  readonly clock: Clock;
  /** Remembers the traces of the calls, for the feed. */
  readonly traces: Pick<AppendTraces, 'remember'>;
  /** Is called for each registered worker, whose store must be fed. */
  readonly onWorker: (worker: RemoteWorker) => void;
  /** Is called with the reason when a worker is refused. */
  readonly onRefused: (storeId: string, message: string) => void;
}

export interface WorkerHostOptions {
  readonly nodeId: string;
  readonly stores: Readonly<Record<string, StoreConfig>>;
}

/** Lets connections serve stores. */
export interface WorkerHost {
  /**
   * Opens the workers of the connection of `peer`, none at first. `onReplaced` is called when another connection has
   * replaced one of them, or one was refused.
   */
  open(peer: Peer, onReplaced: (storeId: string, workerId: string) => void): ConnectionWorkers;
  /**
   * Must be called with a worker that is refused, because another node serves other data under the name of its store. When
   * it is of this node, its program is told by `replaced`.
   */
  refused(worker: WorkerInfo): void;
}

/** The workers of one connection. Closing it unregisters them. */
export interface ConnectionWorkers {
  /**
   * Registers a worker. A live one of the same name is replaced only by the same holder with the same `storeUuid`, and
   * is told so by the notification `replaced`.
   *
   * @param holder the audience of the token, or the remote address without one
   * @throws `invalid_argument` (reason `store_mismatch`) when this store cannot be served by this worker
   */
  register(
    params: ParamsOf<'registerWorker'>,
    holder: string,
  ): { readonly workerId: string; readonly nodeId: string };
  /** Unregisters the named worker, or all of this connection for the store, and returns their ids. */
  unregister(params: ParamsOf<'unregisterWorker'>): readonly string[];
  /** Takes the parameters of the notification `committed`. Returns false unless a worker here serves that store. */
  committed(params: unknown): boolean;
  close(): void;
}

/** A registered worker and the connection that it belongs to. */
interface HeldWorker {
  readonly worker: RemoteWorker;
  readonly holder: string;
  readonly connection: Connection;
}

interface Connection {
  readonly peer: Peer;
  readonly workers: Set<RemoteWorker>;
  readonly onReplaced: (storeId: string, workerId: string) => void;
}

export function createWorkerHost(components: WorkerHostComponents, options: WorkerHostOptions): WorkerHost {
  const { registry, clock, traces } = components;
  let lastIncarnation = 0;
  /** Returns the time, but never the same twice: of two workers with one name the later one wins. */
  const nextIncarnation = (): number => {
    lastIncarnation = Math.max(lastIncarnation + 1, clock.now());
    return lastIncarnation;
  };

  /** The workers of all connections, by store and name. */
  const held = new Map<string, HeldWorker>();

  /** Unregisters a worker unless another one has replaced it. */
  function remove(worker: RemoteWorker, orderly: boolean): boolean {
    const name = nameOf(worker);
    if (held.get(name)?.worker === worker) held.delete(name);
    return registry.unregister(worker.storeId, worker.workerId, worker.incarnation, orderly);
  }

  /** @throws `invalid_argument` (reason `store_mismatch`) when the name belongs to another program */
  function checkHolder(worker: RemoteWorker, holder: string, connection: Connection): void {
    const { storeId, workerId, storeUuid } = worker;
    const present = held.get(nameOf(worker));
    if (present === undefined || present.connection === connection) return;
    if (present.holder === holder && present.worker.storeUuid === storeUuid) return;
    throw invalidArgument(
      'store_mismatch',
      `worker ${workerId} of store ${storeId} is live and belongs to another program; choose another workerId`,
      { storeId, workerId },
    );
  }

  /** Takes the name of a worker over from the connection that had it. */
  function takeOver(worker: RemoteWorker, holder: string, connection: Connection): void {
    const name = nameOf(worker);
    const former = held.get(name);
    held.set(name, { worker, holder, connection });
    connection.workers.add(worker);
    if (former === undefined) return;
    former.connection.workers.delete(former.worker);
    if (former.connection !== connection) tellReplaced(former);
  }

  function tellReplaced({ worker: { storeId, workerId }, connection }: HeldWorker): void {
    connection.peer.notify('replaced', { storeId, workerId } satisfies ReplacedNotice);
    connection.onReplaced(storeId, workerId);
  }

  return {
    refused({ storeId, workerId, nodeId, incarnation }) {
      const name = nameOf({ storeId, workerId });
      const present = held.get(name);
      if (nodeId !== options.nodeId || present?.worker.incarnation !== incarnation) return;
      held.delete(name);
      present.connection.workers.delete(present.worker);
      tellReplaced(present);
    },
    open(peer, onReplaced) {
      const workers = new Set<RemoteWorker>();
      const connection: Connection = { peer, workers, onReplaced };
      return {
        register(params, holder) {
          const configured = Object.hasOwn(options.stores, params.storeId)
            ? options.stores[params.storeId]
            : undefined;
          if (configured !== undefined && configured.engine !== 'remote') {
            throw invalidArgument(
              'store_mismatch',
              `store ${params.storeId} is served by this gateway itself (engine ${configured.engine})`,
              { storeId: params.storeId },
            );
          }
          const worker = createRemoteWorker({
            peer: {
              call(method, callParams, callOptions) {
                traces.remember(method, callParams as object, callOptions);
                return peer.call(method, callParams, callOptions);
              },
            },
            storeId: params.storeId,
            ...(params.storeUuid === undefined ? {} : { storeUuid: params.storeUuid }),
            workerId: params.workerId ?? crypto.randomUUID(),
            nodeId: options.nodeId,
            incarnation: nextIncarnation(),
            clock,
            ...(params.methods === undefined ? {} : { methods: params.methods.filter(isWorkerMethod) }),
          });
          let info: WorkerInfo;
          try {
            checkHolder(worker, holder, connection);
            info = registry.register(worker);
          } catch (error) {
            components.onRefused(params.storeId, GaterError.from(error).message);
            throw error;
          }
          takeOver(worker, holder, connection);
          components.onWorker(worker);
          return { workerId: info.workerId, nodeId: info.nodeId };
        },
        unregister({ storeId, workerId }) {
          const leaving = [...workers].filter(
            (worker) =>
              worker.storeId === storeId && (workerId === undefined || worker.workerId === workerId),
          );
          for (const worker of leaving) workers.delete(worker);
          return leaving.filter((worker) => remove(worker, true)).map((worker) => worker.workerId);
        },
        committed(params) {
          const { storeId, position }: Partial<Record<'storeId' | 'position', unknown>> = params ?? {};
          if (!isStoreId(storeId) || !isPosition(position)) return false;
          let known = false;
          for (const worker of workers) {
            if (worker.storeId !== storeId) continue;
            known = true;
            worker.committed(position);
          }
          return known;
        },
        close() {
          for (const worker of workers) remove(worker, false);
          workers.clear();
        },
      };
    },
  };
}

function nameOf({ storeId, workerId }: Pick<WorkerInfo, 'storeId' | 'workerId'>): string {
  return `${storeId} ${workerId}`;
}

function isPosition(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}
