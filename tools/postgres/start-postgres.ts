import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type pg from 'pg';
import { freePorts } from '../kafka/ports.ts';
import { ensureBinaries } from './binaries.ts';
import { connectionInfo, PostgresNode, SUPERUSER } from './node.ts';
import { connectTo, queryOn } from './query.ts';
import { serverAccount, until } from './server-process.ts';

export interface StartPostgresOptions {
  /** With 3, two standbys follow the first, and every commit waits for one of them. @default 1 */
  readonly nodes?: 1 | 3;
  /** Port of the first node; the others follow it. @default free ones */
  readonly port?: number;
  /** Where the nodes keep their data. @default a new folder, removed by `stop` */
  readonly dir?: string;
  /** Further lines of `postgresql.conf`. */
  readonly settings?: readonly string[];
  /** The nodes live on when this process ends. @default false */
  readonly detached?: boolean;
  readonly say?: (line: string) => void;
}

export interface RunningPostgres {
  /** Names every node, and with more than one asks for the primary. */
  readonly url: string;
  readonly nodes: readonly PostgresNode[];
  /** Milliseconds from the call to ready. */
  readonly startedInMs: number;
  /** Runs SQL as the superuser on a node, by default the first, and returns its rows. */
  query(sql: string, node?: PostgresNode): Promise<Record<string, unknown>[]>;
  /** Opens a connection to the first node, as the superuser. */
  connect(): Promise<pg.Client & AsyncDisposable>;
  /** The node that takes writes. With an old primary that came back there may be two: the first is returned. */
  primary(): Promise<PostgresNode>;
  /** Makes the standby that has most the primary, and returns it; the others follow it. */
  promote(): Promise<PostgresNode>;
  /** Makes a node that is down a standby of another one, with a copy of its data; every commit then waits for any standby. */
  rejoin(node: PostgresNode, primary: PostgresNode): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Starts a real PostgreSQL, or a primary with two standbys of which every commit waits for one, and resolves once all
 * serve: about 2 s for one, 6 s for three.
 *
 * @throws an error of one line when there is no PostgreSQL, or a node does not come up
 */
export async function startPostgres(options: StartPostgresOptions = {}): Promise<RunningPostgres> {
  const { nodes: count = 1, settings = [], detached = false, say = () => {} } = options;
  const began = Date.now();
  const binaries = ensureBinaries(say);
  if (count > 1 && !binaries.canReplicate) {
    throw new Error(
      `${binaries.bin} has no pg_basebackup, which three nodes need: install Debian's PostgreSQL`,
    );
  }
  // Below the temporary folder, because the server runs under an account that may not enter the repository.
  const dir = options.dir ?? mkdtempSync(join(tmpdir(), 'esdb-gater-postgres-'));
  mkdirSync(dir, { recursive: true });
  const account = serverAccount();
  if (account !== undefined) openFolder(dir);
  const ports = await portsFor(options.port, count);
  const nodes = ports.map(
    (port, index) =>
      new PostgresNode({ name: `node${index + 1}`, port, dir, binaries, account, detached, settings }),
  );
  const reap = (): void => {
    for (const node of nodes) node.killNow();
  };
  if (!detached) process.once('exit', reap);
  const running: RunningPostgres = {
    url: urlOf(ports),
    nodes,
    get startedInMs() {
      return Date.now() - began;
    },
    query: (sql, node = nodes[0] as PostgresNode) => queryOn(node.port, sql),
    connect: () => connectTo((nodes[0] as PostgresNode).port),
    async primary() {
      const live = nodes.filter((node) => node.isAlive() && !node.isPaused);
      const standbys = await standbyPorts(live);
      const found = live.find(({ port }) => !standbys.includes(port));
      if (found === undefined) throw new Error('no primary is running');
      return found;
    },
    async rejoin(node, primary) {
      await node.stop();
      node.follow(primary.port);
      await node.start();
      await requireQuorum(
        primary,
        nodes.filter((one) => one !== primary),
      );
    },
    async promote() {
      const port = await promoteStandby(nodes.filter((node) => node.isAlive() && !node.isPaused));
      return nodes.find((node) => node.port === port) as PostgresNode;
    },
    async stop() {
      process.removeListener('exit', reap);
      await Promise.all(nodes.map((node) => node.stop()));
      if (options.dir === undefined) rmSync(dir, { recursive: true, force: true });
    },
  };
  try {
    await startAll(nodes, say);
  } catch (error) {
    await running.stop();
    throw error;
  }
  return { ...running, startedInMs: Date.now() - began };
}

/** Returns the URL of a cluster by its ports. */
export function urlOf(ports: readonly number[]): string {
  const hosts = ports.map((port) => `127.0.0.1:${port}`).join(',');
  return `postgres://${SUPERUSER}@${hosts}/postgres${ports.length > 1 ? '?target_session_attrs=read-write' : ''}`;
}

async function startAll(nodes: readonly PostgresNode[], say: (line: string) => void): Promise<void> {
  const [primary, ...standbys] = nodes as [PostgresNode, ...PostgresNode[]];
  const isNew = !primary.exists;
  if (isNew) primary.init();
  if (!isNew) {
    // After a promotion any of the nodes may be the primary, which its data say.
    for (const node of nodes) await node.start();
    await replaceOldPrimaries(nodes, say);
    return;
  }
  await primary.start();
  say(`${primary.name} is ready at 127.0.0.1:${primary.port} (pid ${primary.pid})`);
  for (const standby of standbys) {
    standby.follow(primary.port);
    await standby.start();
    say(`${standby.name} follows at 127.0.0.1:${standby.port} (pid ${standby.pid})`);
  }
  if (standbys.length > 0) await requireQuorum(primary, standbys);
}

/** Makes standbys of primaries that were replaced while they were down. */
async function replaceOldPrimaries(
  nodes: readonly PostgresNode[],
  say: (line: string) => void,
): Promise<void> {
  const standbys = await standbyPorts(nodes);
  const primaries = nodes.filter(({ port }) => !standbys.includes(port));
  if (primaries.length < 2) return;
  const timelines = await Promise.all(primaries.map(({ port }) => timelineOf(port)));
  const current = primaries[timelines.indexOf(Math.max(...timelines))] as PostgresNode;
  for (const old of primaries) {
    if (old === current) continue;
    await old.stop();
    old.follow(current.port);
    await old.start();
    say(`${old.name} was an old primary, and follows ${current.name} now`);
  }
  await requireQuorum(
    current,
    nodes.filter((node) => node !== current),
  );
}

/** Returns the number of promotions, beginning with 1, that led to the server's present history. */
async function timelineOf(port: number): Promise<number> {
  const [row] = await queryOn(
    port,
    "SELECT ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::integer AS timeline",
  );
  return Number(row?.['timeline']);
}

/** Makes every commit wait for any one of the standbys. */
async function requireQuorum(primary: PostgresNode, standbys: readonly PostgresNode[]): Promise<void> {
  const names = standbys.map(({ name }) => name).join(', ');
  await queryOn(primary.port, `ALTER SYSTEM SET synchronous_standby_names = 'ANY 1 (${names})'`);
  await queryOn(primary.port, 'SELECT pg_reload_conf()');
  await until('the standbys did not form a quorum', async () => {
    const rows = await queryOn(primary.port, "SELECT 1 FROM pg_stat_replication WHERE sync_state = 'quorum'");
    return rows.length === standbys.length;
  });
}

/** A node as promotion needs it. */
interface NodeAddress {
  readonly name: string;
  readonly port: number;
}

/**
 * Promotes the live standby that has received most, as an acknowledged commit is on one of them, and lets the others follow
 * it. Returns its port. With another standby left, commits wait for it.
 */
export async function promoteStandby(nodes: readonly NodeAddress[]): Promise<number> {
  const states = await Promise.all(nodes.map(standbyState));
  const standbys = states
    .filter((state) => state !== undefined)
    .sort((one, other) => Number(other.received - one.received));
  const [next, ...followers] = standbys.map(({ node }) => node);
  if (next === undefined) throw new Error('no standby is running');
  const names = followers.length > 0 ? `ANY 1 (${followers.map(({ name }) => name).join(', ')})` : '';
  // Before the promotion, or the first commits of the new primary would be acknowledged without a copy.
  await queryOn(next.port, `ALTER SYSTEM SET synchronous_standby_names = '${names}'`);
  await queryOn(next.port, 'SELECT pg_reload_conf()');
  await queryOn(next.port, 'SELECT pg_promote(true, 30)');
  for (const follower of followers) {
    const connection = connectionInfo(next.port, follower.name);
    await queryOn(follower.port, `ALTER SYSTEM SET primary_conninfo = '${connection}'`);
    await queryOn(follower.port, 'SELECT pg_reload_conf()');
  }
  return next.port;
}

/** Returns the ports of those that are standbys. */
export async function standbyPorts(nodes: readonly NodeAddress[]): Promise<number[]> {
  const states = await Promise.all(nodes.map(standbyState));
  return states.flatMap((state) => (state === undefined ? [] : [state.node.port]));
}

async function standbyState(
  node: NodeAddress,
): Promise<{ readonly node: NodeAddress; readonly received: bigint } | undefined> {
  try {
    const [row] = await queryOn(
      node.port,
      `SELECT (coalesce(pg_last_wal_receive_lsn(), '0/0') - '0/0'::pg_lsn)::text AS received
       WHERE pg_is_in_recovery()`,
    );
    return row && { node, received: BigInt(String(row['received'])) };
  } catch {
    return undefined;
  }
}

async function portsFor(port: number | undefined, count: number): Promise<number[]> {
  if (port === undefined) return freePorts(count);
  return Array.from({ length: count }, (_, index) => port + index);
}

/** Lets the server's account enter the folder; its data folders stay closed to everybody else. */
function openFolder(dir: string): void {
  chmodSync(dir, 0o755);
}
