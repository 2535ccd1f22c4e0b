import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { benchFolder } from '../lib/machine.ts';

const root = join(import.meta.dirname, '..', '..', '..');

export interface RunningServer {
  readonly pid: number;
  readonly url: string;
  stop(): Promise<void>;
}

/** Starts the gateway with its defaults, or the peer, in a separate process. */
export async function startServer(kind: 'esdb-gater' | 'socket.io'): Promise<RunningServer> {
  if (kind === 'socket.io') {
    const child = spawn(process.execPath, [join(import.meta.dirname, 'socketio-server.ts')], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const { port } = await lineWith(child, 'port');
    return running(child, `http://127.0.0.1:${port}`);
  }
  const folder = benchFolder('gateway');
  const bin = join(root, 'apps', 'gateway', 'bin', 'esdb-gater.js');
  const child = spawn(
    process.execPath,
    [bin, 'start', '--port', '0', '--data-dir', folder, '--log-level', 'warn'],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  const { url } = await lineWith(child, 'url');
  return running(child, String(url));
}

async function lineWith(child: ChildProcess, member: string): Promise<Record<string, unknown>> {
  if (child.stdout === null) throw new Error('the server has no output');
  for await (const line of createInterface({ input: child.stdout })) {
    const value = JSON.parse(line) as Record<string, unknown>;
    if (member in value) {
      child.stdout.resume();
      return value;
    }
  }
  throw new Error(`the server ended before it printed its ${member}`);
}

function running(child: ChildProcess, url: string): RunningServer {
  return {
    pid: child.pid as number,
    url,
    async stop() {
      const exited = once(child, 'exit');
      child.kill('SIGTERM');
      await exited;
    },
  };
}
