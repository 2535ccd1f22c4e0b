import type { ParamsOf, Peer } from '@esdb-gater/protocol';
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

export interface WorkerHostComponents {
  readonly registry: Registry;
  readonly clock: Clock;
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
  /** Opens the workers of the connection of `peer`, none at first. */
  open(peer: Peer): ConnectionWorkers;
}

/** The workers of one connection. Closing it unregisters them. */
export interface ConnectionWorkers {
  /** @throws `invalid_argument` (reason `store_mismatch`) when this store cannot be served by this worker */
  register(params: ParamsOf<'registerWorker'>): { readonly workerId: string; readonly nodeId: string };
  /** Unregisters the named worker, or all of this connection for the store, and returns their ids. */
  unregister(params: ParamsOf<'unregisterWorker'>): readonly string[];
  /** Takes the parameters of the notification `committed`. Returns false unless a worker here serves that store. */
  committed(params: unknown): boolean;
  close(): void;
}

export function createWorkerHost(components: WorkerHostComponents, options: WorkerHostOptions): WorkerHost {
  const { registry, clock } = components;
  let lastIncarnation = 0;
  /** Returns the time, but never the same twice: of two workers with one name the later one wins. */
  const nextIncarnation = (): number => {
    lastIncarnation = Math.max(lastIncarnation + 1, clock.now());
    return lastIncarnation;
  };

  /** Unregisters a worker unless another connection has replaced it. */
  function remove(worker: RemoteWorker): boolean {
    const ours = registry
      .workers(worker.storeId)
      .some((info) => info.workerId === worker.workerId && info.incarnation === worker.incarnation);
    return ours && registry.unregister(worker.storeId, worker.workerId);
  }

  return {
    open(peer) {
      const workers = new Set<RemoteWorker>();
      return {
        register(params) {
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
            peer,
            storeId: params.storeId,
            ...(params.storeUuid === undefined ? {} : { storeUuid: params.storeUuid }),
            workerId: params.workerId ?? crypto.randomUUID(),
            nodeId: options.nodeId,
            incarnation: nextIncarnation(),
            clock,
            ...(params.methods === undefined ? {} : { methods: params.methods }),
          });
          let info: WorkerInfo;
          try {
            info = registry.register(worker);
          } catch (error) {
            components.onRefused(params.storeId, GaterError.from(error).message);
            throw error;
          }
          for (const former of workers) {
            if (former.storeId === info.storeId && former.workerId === info.workerId) workers.delete(former);
          }
          workers.add(worker);
          components.onWorker(worker);
          return { workerId: info.workerId, nodeId: info.nodeId };
        },
        unregister({ storeId, workerId }) {
          const leaving = [...workers].filter(
            (worker) =>
              worker.storeId === storeId && (workerId === undefined || worker.workerId === workerId),
          );
          for (const worker of leaving) workers.delete(worker);
          return leaving.filter(remove).map((worker) => worker.workerId);
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
          for (const worker of workers) remove(worker);
          workers.clear();
        },
      };
    },
  };
}

function isPosition(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}
