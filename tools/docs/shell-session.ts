import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { freePorts } from '../kafka/index.ts';

const ROOT = join(import.meta.dirname, '..', '..');

/** The requirements of the documents' commands. Python runs the gateway at a terminal. */
const PROGRAMS = ['bash', 'curl', 'git', 'python3'];

/** Why the commands of the documents cannot run here, or undefined. With `CI=true` they always run. */
export function shellUnavailable(): string | undefined {
  if (process.env['CI'] === 'true') return undefined;
  return PROGRAMS.find((name) => spawnSync(name, ['--version'], { stdio: 'ignore' }).error !== undefined);
}

/** The two terminals of a reader: one with a gateway, and one to run commands in. */
export interface ShellSession {
  /** The output of the gateway on its terminal. */
  readonly screen: () => string;
  /** Runs a block of commands, and stops at the first that fails. Resolves to their output. */
  run(block: string): Promise<{ readonly exitCode: number | null; readonly output: string }>;
  close(): Promise<void>;
}

/** The last command of `npm start`, with a terminal as its output. */
const GATEWAY = ['apps/gateway/bin/esdb-gater.js', 'start'];
const TERMINAL = 'import pty, sys; pty.spawn(sys.argv[1:])';
const READY = 'Ctrl-C stops it.';

/** Starts a gateway at a terminal, in a folder that looks like a clone of this repository and has no data yet. */
export async function openShellSession(): Promise<ShellSession> {
  const folder = mkdtempSync(join(tmpdir(), 'esdb-gater-tour-'));
  for (const name of readdirSync(ROOT)) {
    if (!name.startsWith('data')) symlinkSync(join(ROOT, name), join(folder, name));
  }
  const [port = 0] = await freePorts(1);
  const env = { ...cleanEnv(), ESDB_GATER_URL: `ws://127.0.0.1:${port}/v1/ws` };
  const command = ['-c', TERMINAL, process.execPath, ...GATEWAY, '--port', String(port)];
  const gateway = spawn('python3', command, { cwd: folder, env, stdio: ['ignore', 'pipe', 'inherit'] });
  let printed = '';
  await new Promise<void>((resolve, reject) => {
    gateway.once('error', reject);
    gateway.once('exit', (code) => reject(new Error(`the gateway ended with ${code}:\n${printed}`)));
    gateway.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      printed += chunk;
      if (printed.includes(READY)) resolve();
    });
  });
  /** The reader's gateway listens on the default port, this one on a free one. */
  const asDocumented = (output: string): string =>
    output.replaceAll(` --url ws://127.0.0.1:${port}/v1/ws`, '').replaceAll(`:${port}`, ':4590');
  return {
    screen: () => asDocumented(printed),
    async run(block) {
      const script = block.replaceAll(':4590', `:${port}`);
      const shell = spawn('bash', ['-ec', `exec 2>&1\n${script}`], {
        cwd: folder,
        env,
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const exit = once(shell, 'exit') as Promise<[number | null]>;
      const output = asDocumented(await text(shell.stdout));
      const [exitCode] = await exit;
      return { exitCode, output };
    },
    async close() {
      await ended(gateway);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The terminal goes with the process that made it, and the gateway with its terminal. */
async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill('SIGKILL');
  await exit;
}

function cleanEnv(): Record<string, string | undefined> {
  return Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(ESDB_GATER|OTEL)_/.test(name)),
  );
}
