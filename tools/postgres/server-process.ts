import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isAlive, killProcess } from '../servers/processes.ts';

/** The account that a server runs under. PostgreSQL refuses to run as root. */
export interface Account {
  readonly uid: number;
  readonly gid: number;
}

/** Returns the account for servers: undefined is that of this process, which is not root. */
export function serverAccount(): Account | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const users = readFileSync('/etc/passwd', 'utf8').split('\n');
  for (const name of ['postgres', 'nobody']) {
    const fields = users.find((line) => line.startsWith(`${name}:`))?.split(':');
    if (fields !== undefined) return { uid: Number(fields[2]), gid: Number(fields[3]) };
  }
  throw new Error('PostgreSQL refuses to run as root, and there is neither a user postgres nor nobody');
}

/** Runs a program of PostgreSQL to its end. @throws an error with its last line when it fails */
export function runProgram(
  program: string,
  options: readonly string[],
  account: Account | undefined,
  env: NodeJS.ProcessEnv = {},
): string {
  const { status, stdout, stderr, error } = spawnSync(program, options, {
    ...account,
    cwd: '/',
    env: { ...process.env, LC_ALL: 'C.UTF-8', ...env },
    encoding: 'utf8',
  });
  if (status === 0) return stdout;
  throw new Error(`${program} failed: ${error?.message ?? stderr.trim().split('\n').at(-1)}`);
}

export interface ServerOptions {
  /** The program `postgres`. */
  readonly program: string;
  readonly dataDir: string;
  readonly log: string;
  readonly account: Account | undefined;
  /** The server continues to run when this process ends. */
  readonly detached: boolean;
}

/** Starts a server and returns its process. It may not serve yet. */
export function spawnServer({ program, dataDir, log, account, detached }: ServerOptions): ChildProcess {
  const output = openSync(log, 'a');
  try {
    const child = spawn(program, ['-D', dataDir], {
      ...account,
      cwd: dataDir,
      env: { ...process.env, LC_ALL: 'C.UTF-8' },
      stdio: ['ignore', output, output],
      detached,
    });
    if (detached) child.unref();
    return child;
  } finally {
    closeSync(output);
  }
}

/**
 * Power loss: kills a server with all its processes at once, and waits until they have ended. Without the children, which
 * only notice the end of their parent, the next start would find the data in use.
 */
export async function killServer(pid: number): Promise<void> {
  await Promise.all(processesOf(pid).map((one) => killProcess(one)));
}

/** Returns the processes of a server, beginning with the one that the others come from. */
export function processesOf(pid: number): number[] {
  return [pid, ...childrenOf(pid)];
}

function childrenOf(pid: number): number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

/**
 * Removes the note of a server that was killed. PostgreSQL does so itself, but takes a process that still waits to be
 * reaped for a living one.
 */
export function forgetDeadServer(dataDir: string): void {
  const file = join(dataDir, 'postmaster.pid');
  if (existsSync(file) && !isAlive(Number(readFileSync(file, 'utf8').split('\n')[0]))) rmSync(file);
}

/** Waits until `ready` returns true. @throws an error that says what did not happen */
export async function until(
  what: string,
  ready: () => boolean | Promise<boolean>,
  withinMs = 30_000,
): Promise<void> {
  for (const deadline = Date.now() + withinMs; !(await ready()); await sleep(20)) {
    if (Date.now() >= deadline) throw new Error(`${what} within ${withinMs / 1_000} s`);
  }
}
