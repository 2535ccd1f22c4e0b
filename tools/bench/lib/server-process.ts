import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const BIN = join(import.meta.dirname, '..', '..', '..', 'apps', 'gateway', 'bin', 'esdb-gater.js');

/** The server to measure, in a separate process. */
export interface ServerProcess {
  readonly pid: number;
  readonly url: string;
  stop(): Promise<void>;
}

/** A process that never outlives this one. */
export function serverOf(child: ChildProcess, url: string): ServerProcess {
  const kill = (): void => void child.kill('SIGKILL');
  process.once('exit', kill);
  return {
    pid: child.pid as number,
    url,
    async stop() {
      process.removeListener('exit', kill);
      const exited = once(child, 'exit');
      child.kill('SIGTERM');
      await exited;
    },
  };
}

/** Starts a gateway with its defaults but for `flags`, on a free port. */
export async function startGateway(
  flags: Readonly<Record<string, string>> & { readonly 'data-dir': string },
  environment: Readonly<Record<string, string>> = {},
): Promise<ServerProcess> {
  const all = { port: '0', 'log-level': 'warn', ...flags };
  const args = Object.entries(all).flatMap(([flag, value]) => [`--${flag}`, value]);
  const child = spawn(process.execPath, [BIN, 'start', ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...environment },
  });
  return serverOf(child, String(await printed(child, 'url')));
}

/** Resolves to a member of the first JSON line with it that a process prints, and lets it print on. */
export async function printed(child: ChildProcess, member: string): Promise<unknown> {
  if (child.stdout === null) throw new Error('the server has no output');
  for await (const line of createInterface({ input: child.stdout })) {
    const value = JSON.parse(line) as Record<string, unknown>;
    if (member in value) {
      child.stdout.resume();
      return value[member];
    }
  }
  throw new Error(`the server ended before it printed its ${member}`);
}
