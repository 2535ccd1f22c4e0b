// `node appends.ts WRITERS MS`: writers append through one WebSocket connection to a gateway with its defaults, each to its
// own stream and with the version that it expects.
import { connect } from '@esdb-gater/client';
import { cpuSeconds } from '../lib/child.ts';
import { benchFolder } from '../lib/machine.ts';
import { startGateway } from '../lib/server-process.ts';
import { driveAppends } from '../stores/drive.ts';
import { eventData } from '../stores/workload.ts';

const WARM_UP_MS = 1_000;

const [writers, durationMs] = [Number(process.argv[2]), Number(process.argv[3])];
const storeId = 'default';
const server = await startGateway({ 'data-dir': benchFolder('gateway') });
const gater = await connect(server.url);

async function append(streamId: string, writer: number, version: number): Promise<void> {
  const events = [{ type: 'happened', data: eventData(writer, version) }];
  const result = await gater.appendEvents({ storeId, streamId, events, expectedVersion: version - 1 });
  if (result.version !== version) throw new Error(`${streamId} is at ${result.version}, not ${version}`);
}

const warm = await driveAppends(writers, WARM_UP_MS, (writer, version) =>
  append(`warm-${writer}`, writer, version),
);
const before = cpuSeconds(server.pid);
const { acknowledged, appendsPerSecond } = await driveAppends(writers, durationMs, (writer, version) =>
  append(`stream-${writer}`, writer, version),
);
const cpu = cpuSeconds(server.pid) - before;
const sum = (counts: readonly number[]): number => counts.reduce((total, count) => total + count, 0);
const total = sum(acknowledged);
const { lastPosition } = await gater.readAll({ storeId, after: sum(warm.acknowledged) + total, limit: 1 });
if (lastPosition !== sum(warm.acknowledged) + total) throw new Error(`the store has ${lastPosition} events`);
process.stdout.write(`${JSON.stringify({ appendsPerSecond, cpuMicros: (cpu / total) * 1e6 })}\n`);
await gater.close();
await server.stop();
process.exit(0);
