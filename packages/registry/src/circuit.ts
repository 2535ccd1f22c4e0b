import type { WorkerState } from '@esdb-gater/types';

/**
 * How the calls of a store are doing. `closed`: they reach a worker. `half-open`: no worker is live, and a probe waits for
 * the answer of one; calls end with `no_workers`, and the first answer closes the circuit. `open`: none is live, and the
 * next probe is still to come.
 */
export type Circuit = 'closed' | 'half-open' | 'open';

/** Returns the circuit of a store by the states of all its workers. */
export function circuitOf(workers: readonly WorkerState[]): Circuit {
  if (workers.some(({ live }) => live)) return 'closed';
  return workers.some(({ probing }) => probing) ? 'half-open' : 'open';
}
