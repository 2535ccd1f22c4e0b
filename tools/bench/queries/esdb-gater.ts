// Contestant: the gateway with its defaults; writers append under conditions through one WebSocket connection.
import { connect } from '@esdb-gater/client';
import { cpuSeconds } from '../lib/child.ts';
import { benchFolder } from '../lib/machine.ts';
import { startGateway } from '../lib/server-process.ts';
import { driveAppends } from '../stores/drive.ts';
import { eventData } from '../stores/workload.ts';

const [writers, durationMs] = [Number(process.argv[2]), Number(process.argv[3])];
const storeId = 'default';
const server = await startGateway({ 'data-dir': benchFolder('gateway') });
const gater = await connect(server.url);

const last = new Array<number>(writers).fill(0);
const before = cpuSeconds(server.pid);
const { acknowledged, appendsPerSecond } = await driveAppends(
  writers,
  durationMs,
  async (writer, version) => {
    const tags = [`writer:${writer}`];
    const { position } = await gater.appendEvents({
      storeId,
      streamId: `stream-${writer}`,
      events: [{ type: 'happened', data: eventData(writer, version), tags }],
      condition: { failIfEventsMatch: { items: [{ tags }] }, after: last[writer] as number },
    });
    last[writer] = position;
  },
);
const total = acknowledged.reduce((sum, count) => sum + count, 0);
const cpuMicros = ((cpuSeconds(server.pid) - before) / total) * 1e6;
const { events, lastPosition } = await gater.queryEvents({
  storeId,
  query: { items: [{ tags: ['writer:0'] }] },
  after: (last[0] as number) - 1,
});
if (events.length !== 1 || lastPosition !== total) throw new Error(`the store has ${lastPosition} events`);
process.stdout.write(`${JSON.stringify({ appendsPerSecond, cpuMicros })}\n`);
await gater.close();
await server.stop();
process.exit(0);
