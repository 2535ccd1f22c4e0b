// Peer: the message of the call through a bare `ws` client to a server that sends it back. `node echo.ts IN_FLIGHT DURATION_MS`.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { WebSocket } from 'ws';
import { cpuSeconds } from '../lib/child.ts';
import { printed, serverOf } from '../lib/server-process.ts';
import { driveCalls, PARAMS } from './workload.ts';

const [inFlight, durationMs] = [Number(process.argv[2]), Number(process.argv[3])];
const child = spawn(process.execPath, [join(import.meta.dirname, 'echo-server.ts')], {
  stdio: ['ignore', 'pipe', 'inherit'],
});
const server = serverOf(child, String(await printed(child, 'url')));
const socket = new WebSocket(server.url, { perMessageDeflate: false });
await once(socket, 'open');

/** As the link between nodes sends it. */
const message = JSON.stringify({
  jsonrpc: '2.0',
  id: 100_000,
  method: 'getVersion',
  params: { ...PARAMS, deadlineMs: 2_000, workerId: 'b' },
});
// Answers come in the order of the messages.
const waiting: (() => void)[] = [];
let oldest = 0;
socket.on('message', (data: Buffer) => {
  if (data.length !== message.length) throw new Error('the echo differs');
  waiting[oldest++]?.();
  if (oldest < waiting.length) return;
  waiting.length = 0;
  oldest = 0;
});

const cpuBefore = cpuSeconds(server.pid) + cpuSeconds(process.pid);
let calls = 0;
const callsPerSecond = await driveCalls({ inFlight, durationMs }, async () => {
  socket.send(message);
  await new Promise<void>((resolve) => waiting.push(resolve));
  calls += 1;
});
const cpuMicros = ((cpuSeconds(server.pid) + cpuSeconds(process.pid) - cpuBefore) / calls) * 1e6;
process.stdout.write(`${JSON.stringify({ callsPerSecond, cpuMicros })}\n`);
socket.terminate();
await server.stop();
process.exit(0);
