// Contestant: calls through the registry of one node to a worker of another, over the link between them.
// `node across-nodes.ts IN_FLIGHT DURATION_MS`. The other node is a gateway as users start it, with a store in memory.
import { createStoreCaller } from '@esdb-gater/registry';
import { silentLogger, systemClock } from '@esdb-gater/types';
import { loadConfig } from '../../../apps/gateway/src/config/load-config.ts';
import { openGatewayCore } from '../../../apps/gateway/src/gateway-core.ts';
import { Cleanup } from '../../../apps/gateway/src/node/cleanup.ts';
import {
  createGatewayLabels,
  createGatewayMetrics,
} from '../../../apps/gateway/src/telemetry/gateway-metrics.ts';
import { cpuSeconds } from '../lib/child.ts';
import { benchFolder } from '../lib/machine.ts';
import { startGateway } from '../lib/server-process.ts';
import { driveCalls, PARAMS, STORE_ID, VERSION } from './workload.ts';

const [inFlight, durationMs] = [Number(process.argv[2]), Number(process.argv[3])];
const secret = 'a secret of the bench';
const other = await startGateway({
  'data-dir': benchFolder('cluster-b'),
  'node-id': 'b',
  stores: JSON.stringify({ [STORE_ID]: { engine: 'memory' } }),
  'cluster-discovery': 'static',
  'cluster-secret': secret,
  'security-hmac-secret': secret,
});

const cleanup = new Cleanup();
// As in a gateway, whose metrics count every call.
const metrics = createGatewayMetrics(createGatewayLabels([]));
cleanup.defer(() => metrics.close());
// It has no port: node b uses the link that this one opens.
const url = 'ws://127.0.0.1:1/v1/ws';
const { registry, cluster } = await openGatewayCore(
  {
    clock: systemClock,
    logger: silentLogger,
    cleanup,
    accepting: () => true,
    url: () => url,
    startTelemetry: () => Promise.resolve(),
  },
  loadConfig({
    flags: {
      'node-id': 'a',
      'data-dir': benchFolder('cluster-a'),
      stores: '{}',
      'cluster-discovery': 'static',
      'cluster-peers': other.url,
      'cluster-secret': secret,
      'security-hmac-secret': secret,
    },
  }),
);
const registered = registry.watch()[Symbol.asyncIterator]();
cluster?.begin(url);
await registered.next();

const caller = createStoreCaller({ registry });
const cpuBefore = cpuSeconds(other.pid) + cpuSeconds(process.pid);
let calls = 0;
const callsPerSecond = await driveCalls({ inFlight, durationMs }, async () => {
  const { version } = await caller.call('getVersion', PARAMS);
  if (version !== VERSION) throw new Error(`the worker answered ${version}`);
  calls += 1;
});
const cpuMicros = ((cpuSeconds(other.pid) + cpuSeconds(process.pid) - cpuBefore) / calls) * 1e6;
process.stdout.write(`${JSON.stringify({ callsPerSecond, cpuMicros })}\n`);
await other.stop();
await cleanup.run();
process.exit(0);
