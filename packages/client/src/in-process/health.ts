import type { HealthReason, HealthResult, HealthStatus, StoreHealth } from '@esdb-gater/protocol';
import { GaterError, type Registry, type WorkerInfo } from '@esdb-gater/types';

export interface StoresHealth {
  readonly stores: Readonly<Record<string, StoreHealth>>;
  readonly reasons: readonly HealthReason[];
}

const WORST: readonly HealthStatus[] = ['unhealthy', 'degraded', 'healthy'];

/** The worst of them; healthy when there is none. */
export function worstOf(statuses: Iterable<HealthStatus>): HealthStatus {
  const all = new Set(statuses);
  return WORST.find((status) => all.has(status)) ?? 'healthy';
}

async function storeHealth(
  registry: Registry,
  storeId: string,
  timeoutMs: number,
): Promise<readonly [StoreHealth, readonly HealthReason[]]> {
  const live = await registry.probe(storeId, { timeoutMs }).catch((): readonly WorkerInfo[] => []);
  const workers = live.map(({ workerId, nodeId }) => ({ workerId, nodeId }));
  const answered = new Set(workers.map(({ workerId }) => workerId));
  const silent = registry.workers(storeId).filter(({ workerId }) => !answered.has(workerId));
  const component = `store:${storeId}`;
  if (workers.length === 0) {
    const message =
      silent.length === 0 ? 'no worker is registered' : `none of ${silent.length} workers answers`;
    return [{ status: 'unhealthy', workers }, [{ component, code: 'no_workers', message }]];
  }
  if (silent.length === 0) return [{ status: 'healthy', workers }, []];
  const message = `${silent.map(({ workerId }) => workerId).join(', ')} does not answer`;
  return [{ status: 'degraded', workers }, [{ component, code: 'unavailable', message }]];
}

/** Asks every worker of every store by its probe: who does not answer is not counted. */
export async function probeStores(registry: Registry, timeoutMs = 2_000): Promise<StoresHealth> {
  const ids = [...registry.stores()];
  const healths = await Promise.all(ids.map((storeId) => storeHealth(registry, storeId, timeoutMs)));
  return {
    stores: Object.fromEntries(ids.flatMap((id, index) => (healths[index] ? [[id, healths[index][0]]] : []))),
    reasons: healths.flatMap(([, reasons]) => reasons),
  };
}

/** `health` of a process without a gateway: its stores are all there is to ask. */
export async function processHealth(
  registry: Registry,
  node: { readonly nodeId: string; readonly url: string } | undefined,
  timeoutMs?: number,
): Promise<HealthResult> {
  const { stores, reasons } = await probeStores(registry, timeoutMs);
  const status = worstOf(Object.values(stores).map((store) => store.status));
  return { status, reasons, stores, nodes: node === undefined ? [] : [{ ...node, status }] };
}

/**
 * How many workers of a store answer.
 *
 * @throws `store_not_found`, `no_workers`
 */
export async function countLiveWorkers(
  registry: Registry,
  storeId: string,
  timeoutMs = 2_000,
): Promise<{ readonly workers: number }> {
  const live = await registry.probe(storeId, { timeoutMs });
  if (live.length > 0) return { workers: live.length };
  // Tells a store that nobody knows from one whose workers are gone.
  registry.pick(storeId);
  throw new GaterError('no_workers', `no worker of the store ${storeId} answers`);
}
