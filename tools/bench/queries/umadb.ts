// Contestant: UmaDB's server, driven by its own Python client through one connection.
import { execFile, spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { cpuSeconds } from '../lib/child.ts';
import { benchFolder } from '../lib/machine.ts';

const [python = 'python3', writers = '', durationMs = ''] = process.argv.slice(2);
const port = await freePort();
const server = spawn(
  join(dirname(python), 'umadb'),
  ['--listen', `127.0.0.1:${port}`, '--db-path', benchFolder('umadb')],
  { stdio: 'ignore' },
);
process.once('exit', () => server.kill('SIGKILL'));
const before = cpuSeconds(server.pid as number);
const driver = join(import.meta.dirname, 'umadb-driver.py');
const { stdout } = await promisify(execFile)(python, [driver, `${port}`, writers, durationMs]);
const { appends, seconds } = JSON.parse(stdout) as { readonly appends: number; readonly seconds: number };
const cpuMicros = ((cpuSeconds(server.pid as number) - before) / appends) * 1e6;
process.stdout.write(`${JSON.stringify({ appendsPerSecond: appends / seconds, cpuMicros })}\n`);
process.exit(0);

function freePort(): Promise<number> {
  const probe = createServer();
  return new Promise((resolve) => {
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
