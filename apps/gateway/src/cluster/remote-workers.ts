import { onNextTurn } from '@esdb-gater/primitives';
import type { CallOptions } from '@esdb-gater/protocol';
import { createRemoteWorker, type RemoteWorker } from '@esdb-gater/registry';
import type { AnnouncedWorker, Clock, MemberInfo, Registry } from '@esdb-gater/types';
import type { AppendTraces } from '../telemetry/append-traces.ts';
import type { PeerNetwork } from './peer-network.ts';

export interface RemoteWorkersComponents {
  readonly network: Pick<PeerNetwork, 'call'>;
  readonly clock: Clock;
  readonly registry: Pick<Registry, 'find'>;
  /** Remembers the traces of the calls, for the feed. */
  readonly traces: Pick<AppendTraces, 'remember'>;
  /** Is called for each new worker, once it is registered. */
  readonly onWorker: (worker: RemoteWorker) => void;
}

/** The workers of other nodes, as the registry of this one calls them. */
export interface RemoteWorkers {
  /** Makes a worker; its link is opened by its first call. */
  connect(node: MemberInfo, worker: AnnouncedWorker): RemoteWorker;
  /** A node tells that a store has new events. */
  committed(nodeId: string, storeId: string, position: number): void;
  /** The link to a node has closed: what it told of commits may be lost. */
  linkClosed(nodeId: string): void;
  /** Forgets the workers of a node that are not among these. */
  keep(nodeId: string, workers: readonly AnnouncedWorker[]): void;
}

export function createRemoteWorkers({
  network,
  registry,
  clock,
  traces,
  onWorker,
}: RemoteWorkersComponents): RemoteWorkers {
  /** By node, then by store and name. */
  const nodes = new Map<string, Map<string, RemoteWorker>>();
  return {
    connect(node, announced) {
      const { nodeId } = node;
      const { workerId, incarnation, storeUuid, registeredAt, methods, storeId, keepsSubscriptions } =
        announced;
      const uuid = storeUuid === undefined ? {} : { storeUuid };
      const worker = createRemoteWorker({
        peer: {
          call(method: string, params?: unknown, options: CallOptions = {}) {
            traces.remember(method, params as object, options);
            return network.call(node, method, params as object, options);
          },
        },
        address: { workerId, ...uuid },
        storeId,
        ...uuid,
        workerId,
        nodeId,
        incarnation,
        registeredAt,
        methods,
        ...(keepsSubscriptions === undefined ? {} : { keepsSubscriptions }),
        clock,
      });
      const workers = nodes.get(nodeId) ?? new Map<string, RemoteWorker>();
      nodes.set(nodeId, workers);
      workers.set(keyOf(announced), worker);
      // The caller registers it first, unless the registry refuses it.
      onNextTurn(() => {
        if (registry.find(storeId, workerId)?.nodeId === nodeId) onWorker(worker);
      });
      return worker;
    },
    committed(nodeId, storeId, position) {
      for (const worker of nodes.get(nodeId)?.values() ?? []) {
        if (worker.storeId === storeId) worker.committed(position);
      }
    },
    linkClosed(nodeId) {
      for (const worker of nodes.get(nodeId)?.values() ?? []) worker.missed();
    },
    keep(nodeId, announced) {
      const workers = nodes.get(nodeId);
      if (workers === undefined) return;
      const kept = new Set(announced.map(keyOf));
      for (const key of workers.keys()) if (!kept.has(key)) workers.delete(key);
      if (workers.size === 0) nodes.delete(nodeId);
    },
  };
}

function keyOf({ storeId, workerId }: Pick<AnnouncedWorker, 'storeId' | 'workerId'>): string {
  return `${storeId} ${workerId}`;
}
