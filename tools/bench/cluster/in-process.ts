// Contestant: calls through the registry to a trivial worker of this process. `node in-process.ts IN_FLIGHT DURATION_MS`.
import { createRegistry, createStoreCaller } from '@esdb-gater/registry';
import type { StoreWorker } from '@esdb-gater/types';
import { driveCalls, PARAMS, STORE_ID, VERSION } from './workload.ts';

const [inFlight, durationMs] = [Number(process.argv[2]), Number(process.argv[3])];
const worker: StoreWorker = {
  storeId: STORE_ID,
  workerId: 'trivial',
  nodeId: 'a',
  incarnation: 1,
  registeredAt: Date.now(),
  methods: ['getVersion', 'quickHealthCheck'],
  call: () => Promise.resolve({ version: VERSION } as never),
};
const registry = createRegistry();
registry.register(worker);
const caller = createStoreCaller({ registry });
const callsPerSecond = await driveCalls({ inFlight, durationMs }, async () => {
  const { version } = await caller.call('getVersion', PARAMS);
  if (version !== VERSION) throw new Error(`the worker answered ${version}`);
});
process.stdout.write(`${JSON.stringify({ callsPerSecond })}\n`);
registry.close();
process.exit(0);
