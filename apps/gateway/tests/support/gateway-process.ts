import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';

const BIN = join(import.meta.dirname, '..', '..', 'bin', 'esdb-gater.js');
const READY_MS = 60_000;

/** A gateway in a separate process, started as a user would. */
export interface GatewayProcess {
  readonly pid: number;
  readonly url: string;
  readonly http: string;
  /** Every line of its log so far. */
  readonly log: readonly string[];
  kill9(): Promise<void>;
  /** SIGTERM; resolves to the exit code. */
  stop(): Promise<number | null>;
}

export async function startGatewayProcess(
  dataDir: string,
  flags: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): Promise<GatewayProcess> {
  const child = spawn(process.execPath, [BIN, 'start', '--port', '0', '--data-dir', dataDir, ...flags], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...cleanEnv(), ...env },
  });
  const log: string[] = [];
  createInterface({ input: child.stderr }).on('line', (line) => log.push(line));
  const url = await new Promise<string>((resolve, reject) => {
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      reject(new Error(`the gateway said nothing:\n${log.join('\n')}`));
    }, READY_MS);
    createInterface({ input: child.stdout }).on('line', (line) => {
      log.push(line);
      const value = JSON.parse(line) as { readonly msg?: string; readonly url?: string };
      if (value.msg !== 'listening' || value.url === undefined) return;
      clearTimeout(timer);
      resolve(value.url);
    });
    child.once('exit', (code) => {
      clearTimeout(timer);
      reject(new Error(`the gateway ended with ${code}:\n${log.join('\n')}`));
    });
  });
  return {
    pid: child.pid as number,
    url,
    http: url.replace(/^ws/, 'http').replace(/\/v1\/ws$/, ''),
    log,
    async kill9() {
      await ended(child, 'SIGKILL');
    },
    stop: () => ended(child, 'SIGTERM'),
  };
}

/** Sends a signal, and resolves to the exit code once the process has ended. */
export async function ended(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
  const exit = once(child, 'exit');
  child.kill(signal);
  const [code] = (await exit) as [number | null];
  return code;
}

/** Creates a folder that is removed after the test. */
export function temporaryFolder(): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'esdb-gater-test-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

export interface CommandResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command of the command line to its end. */
export async function runCli(
  args: readonly string[],
  options: { readonly stdin?: string; readonly env?: Readonly<Record<string, string>> } = {},
): Promise<CommandResult> {
  const child = spawnCli(args, options.env);
  child.stdin?.end(options.stdin ?? '');
  const exit = once(child, 'exit') as Promise<[number | null]>;
  const [stdout, stderr] = await Promise.all([text(child.stdout as never), text(child.stderr as never)]);
  const [code] = await exit;
  return { code, stdout, stderr };
}

/** Starts a command that runs until it is ended. */
export function spawnCli(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  stdio: readonly ('pipe' | number)[] = ['pipe', 'pipe', 'pipe'],
): ChildProcess {
  return spawn(process.execPath, [BIN, ...args], {
    stdio: [...stdio],
    env: { ...cleanEnv(), ...env },
  });
}

/** The values of NDJSON. */
export function jsonLines<T = Record<string, unknown>>(output: string): T[] {
  return output
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as T);
}

/** Settings of the machine that runs the tests must not reach the gateways under test. */
export function cleanEnv(): Record<string, string | undefined> {
  return Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(ESDB_GATER|OTEL)_/.test(name)),
  );
}
