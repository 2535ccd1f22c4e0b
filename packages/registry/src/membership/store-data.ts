import type { AnnouncedWorker } from '@esdb-gater/types';

type Claim = Pick<AnnouncedWorker, 'storeId' | 'storeUuid' | 'workerId' | 'registeredAt'>;

/**
 * Returns what the workers of one database have in common: their `storeUuid`. A worker without one shares its data only
 * with itself, on however many nodes it has registered.
 */
export function dataOf({ storeUuid, workerId }: Pick<Claim, 'storeUuid' | 'workerId'>): string {
  return storeUuid === undefined ? `of worker ${workerId}` : `uuid ${storeUuid}`;
}

/**
 * Decides, for each store, which data may be served under its name: that of the worker that registered first, by the clock
 * of its node; of two that registered in the same millisecond the lower `storeUuid`. Every node that knows the same workers
 * decides alike, in whatever order it has heard of them.
 *
 * @returns the data by store, as {@link dataOf} names it
 */
export function chooseData(workers: Iterable<Claim>): ReadonlyMap<string, string> {
  const first = new Map<string, Claim>();
  for (const worker of workers) {
    const present = first.get(worker.storeId);
    if (present === undefined || precedes(worker, present)) first.set(worker.storeId, worker);
  }
  return new Map([...first].map(([storeId, worker]) => [storeId, dataOf(worker)]));
}

function precedes(a: Claim, b: Claim): boolean {
  if (a.registeredAt !== b.registeredAt) return a.registeredAt < b.registeredAt;
  return dataOf(a) < dataOf(b);
}
