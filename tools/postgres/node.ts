import { appendFileSync, chmodSync, chownSync, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { isAlive, stopProcess } from '../servers/processes.ts';
import type { Binaries } from './binaries.ts';
import {
  type Account,
  forgetDeadServer,
  killServer,
  processesOf,
  runProgram,
  spawnServer,
  until,
} from './server-process.ts';

/** The superuser of the servers that this tool makes. They listen on loopback only and trust it. */
export const SUPERUSER = 'postgres';

/** Returns `primary_conninfo` of a standby. */
export function connectionInfo(primaryPort: number, name: string): string {
  return `host=127.0.0.1 port=${primaryPort} user=${SUPERUSER} application_name=${name}`;
}

export interface NodeOptions {
  readonly name: string;
  readonly port: number;
  readonly dir: string;
  readonly binaries: Binaries;
  readonly account: Account | undefined;
  readonly detached: boolean;
  /** Further lines of `postgresql.conf`. */
  readonly settings: readonly string[];
}

/** A server of PostgreSQL: its data, its port and its process. */
export class PostgresNode {
  readonly name: string;
  readonly port: number;
  readonly dataDir: string;
  readonly #options: NodeOptions;
  #pid = 0;
  #paused: number[] = [];

  constructor(options: NodeOptions) {
    this.name = options.name;
    this.port = options.port;
    this.dataDir = join(options.dir, options.name);
    this.#options = options;
  }

  /** Of the running process, or of the last one. */
  get pid(): number {
    return this.#pid;
  }

  get exists(): boolean {
    return existsSync(join(this.dataDir, 'PG_VERSION'));
  }

  /** Makes the data of a primary. */
  init(): void {
    this.#makeFolder();
    const { settings } = this.#options;
    this.#run('initdb', [
      '-D',
      this.dataDir,
      '-U',
      SUPERUSER,
      '-E',
      'UTF8',
      '--locale=C.UTF-8',
      '-A',
      'trust',
      '-N',
    ]);
    this.configure([
      "listen_addresses = '127.0.0.1'",
      "unix_socket_directories = ''",
      'wal_level = replica',
      'max_wal_senders = 10',
      'max_replication_slots = 10',
      'wal_keep_size = 256MB',
      // How long a standby that lost its primary waits, also before it notices that it was promoted.
      "wal_retrieve_retry_interval = '100ms'",
      'hot_standby = on',
      'synchronous_commit = on',
      `port = ${this.port}`,
      ...settings,
    ]);
    appendFileSync(join(this.dataDir, 'pg_hba.conf'), 'host replication all 127.0.0.1/32 trust\n');
  }

  /** Copies the data of a primary, whose changes this node then follows. */
  follow(primaryPort: number): void {
    rmSync(this.dataDir, { recursive: true, force: true });
    this.#makeFolder();
    this.#run('pg_basebackup', [
      '-D',
      this.dataDir,
      '-h',
      '127.0.0.1',
      '-p',
      String(primaryPort),
      '-U',
      SUPERUSER,
      '-X',
      'stream',
      '-R',
      '-c',
      'fast',
    ]);
    const connection = connectionInfo(primaryPort, this.name);
    appendFileSync(join(this.dataDir, 'postgresql.auto.conf'), `primary_conninfo = '${connection}'\n`);
    this.configure([`port = ${this.port}`]);
  }

  /** Adds lines to `postgresql.conf`, or to another file, such as that of `ALTER SYSTEM`; the last of a name counts. */
  configure(lines: readonly string[], file = 'postgresql.conf'): void {
    appendFileSync(join(this.dataDir, file), `${lines.join('\n')}\n`);
  }

  /** Starts the server and resolves once it accepts connections. */
  async start(): Promise<void> {
    const { binaries, account, detached } = this.#options;
    const log = join(this.#options.dir, `${this.name}.log`);
    forgetDeadServer(this.dataDir);
    const child = spawnServer({
      program: join(binaries.bin, 'postgres'),
      dataDir: this.dataDir,
      log,
      account,
      detached,
    });
    if (child.pid === undefined) throw new Error('postgres could not be started');
    this.#pid = child.pid;
    await until(`${this.name} was not ready; see ${log}`, () => {
      if (child.exitCode !== null || child.signalCode !== null) {
        throw new Error(
          `${this.name} ended at its start: ${readFileSync(log, 'utf8').trim().split('\n').at(-1)}`,
        );
      }
      return this.isReady();
    });
  }

  /** True when the server's own file says that it accepts connections. */
  isReady(): boolean {
    try {
      const lines = readFileSync(join(this.dataDir, 'postmaster.pid'), 'utf8').split('\n');
      return Number(lines[0]) === this.#pid && lines[7]?.trim() === 'ready';
    } catch {
      return false;
    }
  }

  isAlive(): boolean {
    return this.#pid !== 0 && isAlive(this.#pid);
  }

  get isPaused(): boolean {
    return this.#paused.length > 0;
  }

  /** Stops the server and all its processes: connections stay open without answers. */
  pause(): void {
    this.#paused = processesOf(this.#pid);
    for (const pid of this.#paused) process.kill(pid, 'SIGSTOP');
  }

  resume(): void {
    for (const pid of this.#paused.splice(0)) {
      if (isAlive(pid)) process.kill(pid, 'SIGCONT');
    }
  }

  /** Power loss: kills the server with all its processes. */
  async kill9(): Promise<void> {
    if (this.#pid !== 0) await killServer(this.#pid);
    this.#paused = [];
  }

  async stop(): Promise<void> {
    if (!this.isAlive()) return;
    // SIGINT is a fast shutdown: it ends the sessions instead of waiting for them.
    process.kill(this.#pid, 'SIGINT');
    await until(`${this.name} did not stop`, () => !this.isAlive(), 10_000).catch(() =>
      stopProcess(this.#pid, 0),
    );
  }

  killNow(): void {
    if (this.isAlive()) process.kill(this.#pid, 'SIGQUIT');
  }

  #run(program: string, options: readonly string[]): void {
    runProgram(join(this.#options.binaries.bin, program), options, this.#options.account);
  }

  #makeFolder(): void {
    mkdirSync(this.dataDir, { recursive: true, mode: 0o700 });
    chmodSync(this.dataDir, 0o700);
    const { account } = this.#options;
    if (account !== undefined) chownSync(this.dataDir, account.uid, account.gid);
  }
}
