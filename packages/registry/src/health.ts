import type { HealthReason, HealthStatus, StoreHealth } from '@esdb-gater/protocol';
import { GaterError, type Registry, type WorkerInfo } from '@esdb-gater/types';
import { type Circuit, circuitOf } from './circuit.ts';

export interface StoresHealth {
  readonly stores: Readonly<Record<string, StoreHealth>>;
  readonly reasons: readonly HealthReason[];
}

/** What an operator has to know of a store none of whose workers answers. */
const CIRCUIT_NOTES: Readonly<Record<Circuit, string>> = {
  closed: '',
  'half-open': '; the circuit is half-open until one answers its probe',
  open: '; the circuit is open until the next probe',
};

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
      silent.length === 0
        ? 'no worker is registered'
        : `all ${silent.length} workers are silent${CIRCUIT_NOTES[circuitOf(registry.states(storeId))]}`;
    return [{ status: 'unhealthy', workers }, [{ component, code: 'no_workers', message }]];
  }
  if (silent.length === 0) return [{ status: 'healthy', workers }, []];
  const message = `${silent.map(({ workerId }) => workerId).join(', ')} does not answer`;
  return [{ status: 'degraded', workers }, [{ component, code: 'unavailable', message }]];
}

/** Asks every worker of every store by its probe. A worker that does not answer is not counted. */
export async function probeStores(registry: Registry, timeoutMs = 2_000): Promise<StoresHealth> {
  const ids = [...registry.stores()];
  const healths = await Promise.all(ids.map((storeId) => storeHealth(registry, storeId, timeoutMs)));
  return {
    stores: Object.fromEntries(ids.flatMap((id, index) => (healths[index] ? [[id, healths[index][0]]] : []))),
    reasons: healths.flatMap(([, reasons]) => reasons),
  };
}

/**
 * The one rule of overall health: unhealthy when no store serves, or the broker does not; degraded when there is any
 * reason to complain; else healthy.
 *
 * @param broker healthy when there is no external broker to ask
 */
export function overallHealth(
  { stores, reasons }: StoresHealth,
  broker: HealthStatus = 'healthy',
): HealthStatus {
  const statuses = Object.values(stores).map(({ status }) => status);
  const noneServes = statuses.length > 0 && statuses.every((status) => status === 'unhealthy');
  if (noneServes || broker === 'unhealthy') return 'unhealthy';
  return reasons.length === 0 && broker === 'healthy' ? 'healthy' : 'degraded';
}

/**
 * Counts the workers of a store that answer.
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
  throw new GaterError('no_workers', `no worker of the store ${storeId} answers`);
}
