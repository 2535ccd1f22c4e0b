// `node reads.ts EVENTS MS`: reads a whole store again and again through one WebSocket connection, page by page.
import { connect } from '@esdb-gater/client';
import { cpuSeconds } from '../lib/child.ts';
import { benchFolder } from '../lib/machine.ts';
import { startGateway } from '../lib/server-process.ts';
import { driveReads } from '../stores/drive.ts';
import { eventData, PAGE } from '../stores/workload.ts';

const STREAMS = 100;

const [events, durationMs] = [Number(process.argv[2]), Number(process.argv[3])];
const storeId = 'default';
const server = await startGateway({ 'data-dir': benchFolder('gateway') });
const gater = await connect(server.url);
for (let from = 0; from < events; from += PAGE) {
  const batch = Array.from({ length: PAGE }, (_, index) => ({
    type: 'happened',
    data: eventData(0, from + index),
  }));
  await gater.appendEvents({ storeId, streamId: `stream-${(from / PAGE) % STREAMS}`, events: batch });
}

async function readStore(): Promise<number> {
  let last = 0;
  for await (const { position } of gater.allEvents({ storeId, limit: PAGE })) {
    if (position !== last + 1) throw new Error(`position ${position} came after ${last}`);
    last = position;
  }
  return last;
}

await readStore();
const before = cpuSeconds(server.pid);
const startedAt = performance.now();
const eventsPerSecond = await driveReads(durationMs, readStore, events);
const read = eventsPerSecond * ((performance.now() - startedAt) / 1_000);
const cpuMicros = ((cpuSeconds(server.pid) - before) / read) * 1e6;
process.stdout.write(`${JSON.stringify({ eventsPerSecond, cpuMicros })}\n`);
await gater.close();
await server.stop();
process.exit(0);
