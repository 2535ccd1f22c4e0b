// `node appends.ts WRITERS MS [PROCESSES CONNECTIONS]`: writers append through one WebSocket connection, or share several, to
// a gateway with its defaults, each to its own stream and with the version that it expects.
import { connect } from '@esdb-gater/client';
import { cpuSecondsOfEach } from '../lib/child.ts';
import { benchFolder } from '../lib/machine.ts';
import { startGateway } from '../lib/server-process.ts';
import { driveAppends } from '../stores/drive.ts';
import { eventData } from '../stores/workload.ts';

const WARM_UP_MS = 1_000;

const [writers, durationMs] = [Number(process.argv[2]), Number(process.argv[3])];
const storeId = 'default';
const [processes, connections] = [Number(process.argv[4] ?? 1), Number(process.argv[5] ?? 1)];
const server = await startGateway({ 'data-dir': benchFolder('gateway'), processes: `${processes}` });
const gater = await connect(server.url);
const others = Array.from({ length: connections - 1 }, () => connect(server.url));
const gaters = [gater, ...(await Promise.all(others))];

async function append(streamId: string, writer: number, version: number): Promise<void> {
  const events = [{ type: 'happened', data: eventData(writer, version) }];
  const result = await (gaters[writer % gaters.length] ?? gater).appendEvents({
    storeId,
    streamId,
    events,
    expectedVersion: version - 1,
  });
  if (result.version !== version) throw new Error(`${streamId} is at ${result.version}, not ${version}`);
}

const warm = await driveAppends(writers, WARM_UP_MS, (writer, version) =>
  append(`warm-${writer}`, writer, version),
);
const before = cpuSecondsOfEach(server.pid);
const { acknowledged, appendsPerSecond } = await driveAppends(writers, durationMs, (writer, version) =>
  append(`stream-${writer}`, writer, version),
);
const cpus = cpuSecondsOfEach(server.pid).map((seconds, index) => seconds - (before[index] ?? 0));
const sum = (counts: readonly number[]): number => counts.reduce((total, count) => total + count, 0);
const cpu = sum(cpus);
const total = sum(acknowledged);
const { lastPosition } = await gater.readAll({ storeId, after: sum(warm.acknowledged) + total, limit: 1 });
if (lastPosition !== sum(warm.acknowledged) + total) throw new Error(`the store has ${lastPosition} events`);
process.stdout.write(
  `${JSON.stringify({
    appendsPerSecond,
    cpuMicros: (cpu / total) * 1e6,
    ...(cpus.length < 2 ? {} : { firstMicros: ((cpus[1] ?? 0) / total) * 1e6 }),
  })}\n`,
);
await Promise.all(gaters.map((one) => one.close()));
await server.stop();
process.exit(0);
