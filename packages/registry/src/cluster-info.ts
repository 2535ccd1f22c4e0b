import type { ClusterInfo, NodeInfo, StoreCircuit, WorkerDetails } from '@esdb-gater/protocol';
import type { MemberInfo, Registry, WorkerState } from '@esdb-gater/types';
import { circuitOf } from './circuit.ts';

export interface ClusterInfoOptions {
  /** The live nodes, this one first. */
  readonly members: readonly Pick<
    MemberInfo,
    'nodeId' | 'url' | 'status' | 'incarnation' | 'self' | 'clockOffsetMs'
  >[];
  readonly retriesLeft?: (storeId: string) => number | undefined;
}

/** Describes the nodes, the workers and the stores that a registry knows. */
export function describeCluster(registry: Registry, options: ClusterInfoOptions): ClusterInfo {
  const states = registry.states();
  return {
    nodes: options.members.map((member) => nodeInfo(member, states)),
    workers: states.map(workerDetails),
    stores: registry.stores().map((storeId) => storeCircuit(storeId, states, options)),
  };
}

function nodeInfo(
  { nodeId, url, status, incarnation, self, clockOffsetMs }: ClusterInfoOptions['members'][number],
  states: readonly WorkerState[],
): NodeInfo {
  const workers = states.filter((worker) => worker.nodeId === nodeId).length;
  const clock = clockOffsetMs === undefined ? {} : { clockOffsetMs };
  return { nodeId, url, status, incarnation, self, ...clock, workers };
}

function workerDetails(state: WorkerState): WorkerDetails {
  const { storeId, workerId, nodeId, incarnation, registeredAt, methods, live, failures, ejectedForMs } =
    state;
  return {
    storeId,
    workerId,
    nodeId,
    incarnation,
    registeredAt: new Date(registeredAt).toISOString(),
    methods,
    status: live ? 'live' : 'ejected',
    failures,
    ...(live ? {} : { ejectedForMs: Math.round(ejectedForMs) }),
  };
}

function storeCircuit(
  storeId: string,
  states: readonly WorkerState[],
  { retriesLeft }: ClusterInfoOptions,
): StoreCircuit {
  const own = states.filter((worker) => worker.storeId === storeId);
  const left = retriesLeft?.(storeId);
  return {
    storeId,
    circuit: circuitOf(own),
    ...(left === undefined ? {} : { retriesLeft: left }),
  };
}
