import { type ChildProcess, spawn } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { consecutiveFreePorts } from '../kafka/ports.ts';
import { killProcess } from '../servers/processes.ts';
import { ensureBinaries, PROGRAMS_DIR, run } from './binaries.ts';
import { SUPERUSER } from './node.ts';
import { queryOn } from './query.ts';
import { type Account, forgetDeadServer, killServer, serverAccount, until } from './server-process.ts';
import { urlOf } from './start-postgres.ts';

const VENV = join(PROGRAMS_DIR, 'patroni');

/** Of the system where there is one: that of a user may be where the account of the servers may not enter. */
const PYTHON = existsSync('/usr/bin/python3') ? '/usr/bin/python3' : 'python3';

const PATRONI = join(VENV, 'bin', 'patroni');

/** The lease of the leader: the shortest that Patroni allows. After its end another node takes over. */
const TTL_S = 20;

/** A commit that writes to the log, and so waits for a standby. */
const COMMIT = "SELECT pg_logical_emit_message(true, 'esdb_gater_probe', '')";

const NODES = 3;
const PORTS_PER_NODE = 3;

/** Why tests with Patroni cannot run here, or undefined when they can. With `CI=true` they always run. */
export function patroniUnavailable(): string | undefined {
  if (process.env['CI'] === 'true' || existsSync(PATRONI)) return undefined;
  return 'Patroni is not installed here; `npm run postgres -- patroni` gets it once';
}

/**
 * Installs Patroni by pip into a folder of its own, unless it is there: half a minute.
 *
 * @throws an error of one line when Python is missing, or pip fails
 */
export function ensurePatroni(say: (line: string) => void): void {
  if (existsSync(PATRONI)) return;
  say('installing Patroni (once, half a minute)');
  const requirements = join(import.meta.dirname, 'requirements.txt');
  run(PYTHON, ['-m', 'venv', VENV]);
  run(join(VENV, 'bin', 'pip'), ['install', '--quiet', '--disable-pip-version-check', '-r', requirements]);
}

/** A PostgreSQL that Patroni looks after. */
export interface PatroniNode {
  readonly name: string;
  readonly port: number;
  /** Kills Patroni and its server at once. */
  kill9(): Promise<void>;
  /** Starts Patroni again, which makes the server a standby of the leader. */
  start(): void;
}

/** Three servers, one of which Patroni makes the leader; every commit waits for one of the standbys. */
export interface RunningPatroni {
  /** Names every node, and asks for the primary. */
  readonly url: string;
  readonly nodes: readonly PatroniNode[];
  /** Resolves to the node that takes writes, once there is one. */
  leader(): Promise<PatroniNode>;
  /** Resolves to the node that takes writes, once a standby has followed it and its commits are acknowledged. */
  writableLeader(): Promise<PatroniNode>;
  /**
   * Resolves when the leader has so many standbys of which its commits wait for one, and Patroni has noted that each of them
   * may become the leader. Before that nobody follows a leader that dies.
   */
  quorum(standbys: number): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Starts three nodes under Patroni, with its own Raft, and resolves when commits have a quorum: about 20 s.
 *
 * @throws an error of one line when a program is missing, or the nodes do not come up
 */
export async function startPatroni(say: (line: string) => void = () => {}): Promise<RunningPatroni> {
  const { bin } = ensureBinaries(say);
  ensurePatroni(say);
  const account = serverAccount();
  const dir = mkdtempSync(join(tmpdir(), 'esdb-gater-patroni-'));
  chmodSync(dir, 0o755);
  const first = await consecutiveFreePorts(NODES * PORTS_PER_NODE);
  const places = Array.from({ length: NODES }, (_, index) => ({
    name: `node${index + 1}`,
    port: first + index,
    raft: first + NODES + index,
    rest: first + 2 * NODES + index,
  }));
  const nodes = places.map((place) => new ManagedNode(place, places, { dir, bin, account }));
  const reap = (): void => {
    for (const node of nodes) node.killNow();
  };
  process.once('exit', reap);
  const leader = async (): Promise<ManagedNode> => {
    let found: ManagedNode | undefined;
    await until(
      'Patroni did not choose a leader',
      async () => {
        const primary = 'SELECT 1 WHERE NOT pg_is_in_recovery()';
        const answers = await Promise.all(nodes.map(async ({ port }) => rowsOrNone(port, primary)));
        found = nodes.find((_, index) => answers[index]?.length === 1);
        return found !== undefined;
      },
      120_000,
    );
    return found as ManagedNode;
  };
  const running: RunningPatroni = {
    url: urlOf(places.map(({ port }) => port)),
    nodes,
    leader,
    async writableLeader() {
      const found = await leader();
      await queryOn(found.port, COMMIT);
      return found;
    },
    async quorum(standbys) {
      const sql = "SELECT 1 FROM pg_stat_replication WHERE sync_state = 'quorum'";
      await until(
        'the standbys did not form a quorum',
        async () => {
          const first = await leader();
          const connected = await rowsOrNone(first.port, sql);
          return connected.length >= standbys && (await first.eligibleStandbys()) >= standbys;
        },
        120_000,
      );
    },
    async stop() {
      process.removeListener('exit', reap);
      await Promise.all(nodes.map((node) => node.kill9()));
      rmSync(dir, { recursive: true, force: true });
    },
  };
  try {
    for (const node of nodes) node.start();
    await running.quorum(NODES - 1);
  } catch (error) {
    await running.stop();
    throw error;
  }
  return running;
}

interface Place {
  readonly name: string;
  readonly port: number;
  readonly raft: number;
  readonly rest: number;
}

interface Surroundings {
  readonly dir: string;
  readonly bin: string;
  readonly account: Account | undefined;
}

class ManagedNode implements PatroniNode {
  readonly name: string;
  readonly port: number;
  readonly #folder: string;
  readonly #account: Account | undefined;
  readonly #restPort: number;
  #patroni: ChildProcess | undefined;

  constructor(place: Place, all: readonly Place[], { dir, bin, account }: Surroundings) {
    this.name = place.name;
    this.port = place.port;
    this.#restPort = place.rest;
    this.#folder = join(dir, place.name);
    this.#account = account;
    mkdirSync(this.#folder, { mode: 0o700 });
    // YAML takes JSON.
    writeFileSync(this.#config, JSON.stringify(settingsOf(place, all, this.#folder, bin), undefined, 2));
    if (account === undefined) return;
    for (const path of [this.#folder, this.#config]) chownSync(path, account.uid, account.gid);
  }

  get #config(): string {
    return join(this.#folder, 'patroni.yml');
  }

  /** How many standbys Patroni would make the leader: those in its own note of the quorum. */
  async eligibleStandbys(): Promise<number> {
    try {
      const signal = AbortSignal.timeout(1_000);
      const answer = await fetch(`http://127.0.0.1:${this.#restPort}/cluster`, { signal });
      const { members } = (await answer.json()) as { readonly members: readonly { readonly role: string }[] };
      return members.filter(({ role }) => role === 'quorum_standby').length;
    } catch {
      return 0;
    }
  }

  /** The process of PostgreSQL, when there is one. */
  get serverPid(): number | undefined {
    try {
      return Number(readFileSync(join(this.#folder, 'data', 'postmaster.pid'), 'utf8').split('\n')[0]);
    } catch {
      return undefined;
    }
  }

  start(): void {
    forgetDeadServer(join(this.#folder, 'data'));
    const output = openSync(join(this.#folder, 'patroni.log'), 'a');
    this.#patroni = spawn(join(VENV, 'bin', 'python3'), [PATRONI, this.#config], {
      ...this.#account,
      cwd: this.#folder,
      env: { ...process.env, LC_ALL: 'C.UTF-8', HOME: this.#folder },
      stdio: ['ignore', output, output],
    });
    closeSync(output);
  }

  async kill9(): Promise<void> {
    const { pid } = this.#patroni ?? {};
    if (pid !== undefined) await killProcess(pid);
    const server = this.serverPid;
    if (server !== undefined) await killServer(server);
  }

  killNow(): void {
    this.#patroni?.kill('SIGKILL');
    const server = this.serverPid;
    try {
      if (server !== undefined) process.kill(server, 'SIGQUIT');
    } catch {
      // Ended already.
    }
  }
}

function settingsOf(
  { name, port, raft, rest }: Place,
  all: readonly Place[],
  folder: string,
  bin: string,
): object {
  const address = (of: number): string => `127.0.0.1:${of}`;
  const others = all.filter((one) => one.name !== name).map((one) => address(one.raft));
  return {
    scope: 'gater',
    name,
    restapi: { listen: address(rest), connect_address: address(rest) },
    raft: { data_dir: join(folder, 'raft'), self_addr: address(raft), partner_addrs: others },
    bootstrap: {
      dcs: {
        ttl: TTL_S,
        loop_wait: 1,
        retry_timeout: 3,
        // `synchronous_standby_names = 'ANY 1 (…)'`, which Patroni keeps up to date.
        synchronous_mode: 'quorum',
        synchronous_node_count: 1,
        postgresql: {
          use_pg_rewind: true,
          parameters: { hot_standby: 'on', wal_keep_size: '256MB', wal_log_hints: 'on' },
        },
      },
      initdb: [{ encoding: 'UTF8' }, { locale: 'C.UTF-8' }],
    },
    postgresql: {
      listen: address(port),
      connect_address: address(port),
      data_dir: join(folder, 'data'),
      bin_dir: bin,
      // A primary that dies may have written what no standby has: it is rewound, or copied anew, before it follows.
      remove_data_directory_on_rewind_failure: true,
      remove_data_directory_on_diverged_timelines: true,
      pgpass: join(folder, 'pgpass'),
      authentication: { superuser: { username: SUPERUSER }, replication: { username: SUPERUSER } },
      parameters: { unix_socket_directories: folder },
      pg_hba: [
        'local all all trust',
        'host all all 127.0.0.1/32 trust',
        'host replication all 127.0.0.1/32 trust',
      ],
    },
  };
}

/** Returns no rows from a server that does not answer. */
async function rowsOrNone(port: number, sql: string): Promise<readonly object[]> {
  return queryOn(port, sql).catch(() => []);
}
