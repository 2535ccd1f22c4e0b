// Load of the connections bench: `node connections.ts SYSTEM COUNT`. Opens connections that then stay idle.
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { cpuSeconds } from '../lib/child.ts';
import { type LoadClient, systemOf } from './systems.ts';

const OPENING_AT_ONCE = 64;
/** The garbage of the handshakes is collected meanwhile. */
const SETTLES_MS = 4_000;

const system = systemOf(process.argv[2]);
const count = Number(process.argv[3]);
const server = await system.start();
// Half as many first: then the heap is as large as connections that come and go make it.
for (const client of await openAll(count / 2)) client.close();
await sleep(SETTLES_MS);
const before = ownKiB(server.pid);
const cpuBefore = cpuSeconds(server.pid);
const startedAt = performance.now();
const clients = await openAll(count);
const seconds = (performance.now() - startedAt) / 1_000;
const cpu = cpuSeconds(server.pid) - cpuBefore;
await sleep(SETTLES_MS);
const kibPerConnection = (ownKiB(server.pid) - before) / count;
for (const client of clients) client.close();
await server.stop();
process.stdout.write(
  `${JSON.stringify({ connectsPerSecond: count / seconds, cpuMicros: (cpu * 1e6) / count, kibPerConnection })}\n`,
);
process.exit(0);

async function openAll(number: number): Promise<LoadClient[]> {
  const opened: LoadClient[] = [];
  let left = number;
  const worker = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      opened.push(await system.open(server.url));
    }
  };
  await Promise.all(Array.from({ length: OPENING_AT_ONCE }, worker));
  return opened;
}

/** The memory of a process that it shares with no other one, in KiB (proc_pid_smaps(5)). */
function ownKiB(pid: number): number {
  return Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1]);
}
