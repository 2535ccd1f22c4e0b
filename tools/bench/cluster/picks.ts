// Contestant: picks of a registry with so many workers of one store. `node picks.ts WORKERS DURATION_MS`.
import { createRegistry } from '@esdb-gater/registry';
import { STORE_ID } from './workload.ts';

const [workers, durationMs] = [Number(process.argv[2]), Number(process.argv[3])];
const registry = createRegistry();
for (let n = 0; n < workers; n += 1) {
  registry.register({
    storeId: STORE_ID,
    storeUuid: 'one',
    workerId: `worker-${n}`,
    nodeId: 'a',
    incarnation: 1,
    registeredAt: Date.now(),
    methods: ['getVersion', 'quickHealthCheck'],
    call: () => Promise.reject(new TypeError('not called')),
  });
}

/** Between two looks at the clock, so that every worker is picked equally often. */
const PICKS = workers * Math.ceil(10_000 / workers);

const counts = new Map<string, number>();
// This warms up, too.
for (let n = 0; n < PICKS; n += 1) {
  const { workerId } = registry.pick(STORE_ID, 'getVersion');
  counts.set(workerId, (counts.get(workerId) ?? 0) + 1);
}
const isEven = [...counts.values()].every((count) => count === PICKS / workers);
if (counts.size !== workers || !isEven) throw new Error('the workers were not picked equally often');

let picks = 0;
const startedAt = performance.now();
while (performance.now() - startedAt < durationMs) {
  for (let n = 0; n < PICKS; n += 1) registry.pick(STORE_ID, 'getVersion');
  picks += PICKS;
}
const picksPerSecond = picks / ((performance.now() - startedAt) / 1_000);
process.stdout.write(`${JSON.stringify({ picksPerSecond })}\n`);
registry.close();
process.exit(0);
