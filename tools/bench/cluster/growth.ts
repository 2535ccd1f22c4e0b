// Traffic and memory of a node in a simulated cluster. `node growth.ts NODES`. The memberships are the real ones; time and
// network are simulated, so that traffic is the same in every run.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { SimulatedCluster, workerOf } from '../../../packages/registry/tests/simulation/cluster.ts';

const SETTLE_MS = 15_000;
const MEASURED_MS = 10_000;

const nodes = Number(process.argv[2]);
setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;
function heapBytes(): number {
  collect();
  return process.memoryUsage().heapUsed;
}

const heapBefore = heapBytes();
const cluster = new SimulatedCluster({ seed: 1 });
await cluster.startMany(nodes);
await cluster.until(() => cluster.agrees(), SETTLE_MS, 'all nodes are members');
for (const node of cluster.live) node.membership.announce([workerOf('default', node.nodeId)]);
await cluster.run(MEASURED_MS);
const kibPerNode = (heapBytes() - heapBefore) / nodes / 1_024;
for (const node of cluster.live) {
  node.messages = 0;
  node.bytes = 0;
}
cluster.network.countsBytes = true;
await cluster.run(MEASURED_MS);
if (!cluster.agrees()) throw new Error('the nodes do not agree');

const seconds = MEASURED_MS / 1_000;
const sent = cluster.live.map(({ messages }) => messages / seconds);
const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / nodes;
const messagesPerSecond = mean(sent);
const mostMessagesPerSecond = Math.max(...sent);
const bytesPerSecond = mean(cluster.live.map(({ bytes }) => bytes / seconds));
process.stdout.write(
  `${JSON.stringify({ messagesPerSecond, mostMessagesPerSecond, bytesPerSecond, kibPerNode })}\n`,
);
process.exit(0);
