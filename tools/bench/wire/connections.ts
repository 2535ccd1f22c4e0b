// `node connections.ts COUNT`: opens connections that then do nothing, and measures what they cost the gateway.
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { cpuSeconds } from '../lib/child.ts';
import { benchFolder } from '../lib/machine.ts';
import { startGateway } from '../lib/server-process.ts';

/** Handshakes under way at the same time. */
const AT_ONCE = 50;

/** The garbage of the handshakes is collected meanwhile. */
const SETTLE_MS = 4_000;

const count = Number(process.argv[2]);
const server = await startGateway({ 'data-dir': benchFolder('gateway') });

/** Opens a connection, and waits for `hello`. */
function open(): Promise<WebSocket> {
  const socket = new WebSocket(server.url, 'esdb-gater.v1', { perMessageDeflate: false });
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.once('message', () => resolve(socket));
  });
}

async function openMany(wanted: number): Promise<readonly WebSocket[]> {
  const opened: WebSocket[] = [];
  let begun = 0;
  const work = async (): Promise<void> => {
    while (begun++ < wanted) opened.push(await open());
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return opened;
}

/** The memory of the process that no other one shares, in KiB. */
function ownKib(): number {
  const rollup = readFileSync(`/proc/${server.pid}/smaps_rollup`, 'utf8');
  return Number(/^Pss:\s+(\d+)/m.exec(rollup)?.[1]);
}

// Half as many first: then the heap is as large as connections that come and go make it.
for (const socket of await openMany(count / 2)) socket.terminate();
await sleep(SETTLE_MS);
const kib = ownKib();
const before = cpuSeconds(server.pid);
const startedAt = performance.now();
const sockets = await openMany(count);
const seconds = (performance.now() - startedAt) / 1_000;
const cpu = cpuSeconds(server.pid) - before;
await sleep(SETTLE_MS);
if (sockets.some(({ readyState }) => readyState !== WebSocket.OPEN))
  throw new Error('a connection was closed');
const figures = {
  connectsPerSecond: count / seconds,
  cpuMicros: (cpu / count) * 1e6,
  kibPerConnection: (ownKib() - kib) / count,
};
process.stdout.write(`${JSON.stringify(figures)}\n`);
await server.stop();
process.exit(0);
