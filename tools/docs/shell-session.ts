import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts } from '../kafka/index.ts';

const ROOT = join(import.meta.dirname, '..', '..');

/** The requirements of the documents' commands. Python gives them a terminal. */
const PROGRAMS = ['bash', 'curl', 'git', 'python3'];

/** Why the commands of the documents cannot run here, or undefined. With `CI=true` they always run. */
export function shellUnavailable(): string | undefined {
  if (process.env['CI'] === 'true') return undefined;
  return PROGRAMS.find((name) => spawnSync(name, ['--version'], { stdio: 'ignore' }).error !== undefined);
}

/** The terminals of a reader: one with a gateway, and others to run commands in. */
export interface ShellSession {
  /** The URL of the gateway, without a path. */
  readonly http: string;
  /** Returns what the gateway has printed on its terminal. */
  readonly screen: () => string;
  /** Runs a block of commands, and stops at the first that fails. Resolves to their output. */
  run(block: string): Promise<{ readonly exitCode: number | null; readonly output: string }>;
  /** Runs a block in a terminal of its own until `close`. Returns a function for what it has printed. */
  keepRunning(block: string): () => string;
  close(): Promise<void>;
}

/** The last command of `npm start`. */
const GATEWAY = ['apps/gateway/bin/esdb-gater.js', 'start'];

/** Runs a program at a terminal, and ends with its exit code. */
const TERMINAL = 'import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))';

/** As wide as the lines of the documents. */
const SIZE = 'stty cols 121 rows 40';

/** npm tells of nothing but the commands that it runs. */
const QUIET_NPM = { npm_config_progress: 'false', npm_config_update_notifier: 'false' };

/** Starts a gateway at a terminal, in a folder that looks like a clone of this repository and has no data yet. */
export async function openShellSession(): Promise<ShellSession> {
  const folder = mkdtempSync(join(tmpdir(), 'esdb-gater-tour-'));
  for (const name of readdirSync(ROOT)) {
    if (!name.startsWith('data')) symlinkSync(join(ROOT, name), join(folder, name));
  }
  const [port = 0] = await freePorts(1);
  const env = { ...cleanEnv(), ...QUIET_NPM, ESDB_GATER_URL: `ws://127.0.0.1:${port}/v1/ws` };
  const terminals: ChildProcess[] = [];
  /** Starts a program at a new terminal. */
  const open = (
    command: readonly string[],
  ): { readonly child: ChildProcess; readonly printed: () => string } => {
    const child = spawn('python3', ['-c', TERMINAL, ...command], {
      cwd: folder,
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    terminals.push(child);
    let printed = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      printed += chunk;
    });
    return { child, printed: () => asDocumented(printed) };
  };
  /** The reader's gateway listens on the default port, this one on a free one. */
  const asDocumented = (output: string): string =>
    output.replaceAll(` --url ws://127.0.0.1:${port}/v1/ws`, '').replaceAll(`:${port}`, ':4590');
  const shell = (block: string): ReturnType<typeof open> =>
    open(['bash', '-ec', `${SIZE}\n${block.replaceAll(':4590', `:${port}`)}`]);

  const gateway = open([process.execPath, ...GATEWAY, '--port', String(port)]);
  await new Promise<void>((resolve, reject) => {
    gateway.child.once('error', reject);
    gateway.child.once('exit', (code) =>
      reject(new Error(`the gateway ended with ${code}:\n${gateway.printed()}`)),
    );
    gateway.child.stdout?.on('data', () => {
      if (gateway.printed().includes('Ctrl-C stops it.')) resolve();
    });
  });
  return {
    http: `http://127.0.0.1:${port}`,
    screen: gateway.printed,
    async run(block) {
      const { child, printed } = shell(block);
      const [exitCode] = (await once(child, 'close')) as [number | null];
      return { exitCode, output: printed() };
    },
    keepRunning: (block) => shell(block).printed,
    async close() {
      await Promise.all(terminals.map(ended));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A terminal goes with the process that made it, and its program with the terminal. */
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
