// Load of the connections bench: `node connections.ts SYSTEM COUNT`. Opens connections that then stay idle.
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { cpuSeconds } from '../lib/child.ts';
import { type LoadClient, systemOf } from './systems.ts';

const OPENING_AT_ONCE = 64;
const WARM_UP = 200;
const SETTLES_MS = 2_000;

const system = systemOf(process.argv[2]);
const count = Number(process.argv[3]);
const server = await system.start();
// The first connections load code and grow tables that later ones use as well.
await openAll(WARM_UP);
await sleep(SETTLES_MS);
const before = residentKiB(server.pid);
const cpuBefore = cpuSeconds(server.pid);
const startedAt = performance.now();
const clients = await openAll(count);
const seconds = (performance.now() - startedAt) / 1_000;
const cpu = cpuSeconds(server.pid) - cpuBefore;
await sleep(SETTLES_MS);
const kibPerConnection = (residentKiB(server.pid) - before) / count;
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

/** Memory of a process that is in RAM (proc_pid_status(5)). */
function residentKiB(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
}
