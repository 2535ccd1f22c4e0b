import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type ServerProcess, serverOf } from '../kafka/gateway-process.ts';
import { benchFolder } from '../lib/machine.ts';

const BIN = join(import.meta.dirname, '..', '..', '..', 'apps', 'gateway', 'bin', 'esdb-gater.js');

/** Starts a gateway with these flags, in a process that never outlives this one. */
export function startNode(flags: Readonly<Record<string, string>>): Promise<ServerProcess> {
  const all = { port: '0', 'data-dir': benchFolder('cluster-b'), 'log-level': 'warn', ...flags };
  return startProcess(BIN, [
    'start',
    ...Object.entries(all).flatMap(([flag, value]) => [`--${flag}`, value]),
  ]);
}

/** Starts the peer: a bare `ws` server that sends back each message. */
export function startEcho(): Promise<ServerProcess> {
  return startProcess(join(import.meta.dirname, 'echo-server.ts'), []);
}

/** Resolves once the process has printed a line with its URL. */
async function startProcess(file: string, args: readonly string[]): Promise<ServerProcess> {
  const child = spawn(process.execPath, [file, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  const server = serverOf(child);
  for await (const line of createInterface({ input: child.stdout })) {
    const { url } = JSON.parse(line) as { readonly url?: string };
    if (url === undefined) continue;
    child.stdout.resume();
    return { ...server, url };
  }
  throw new Error(`${file} ended before it printed its URL`);
}
