#!/usr/bin/env node
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { runCommand, type ServerSettings, say, serverSettings } from '../servers/command.ts';
import { stopProcess } from '../servers/processes.ts';
import { CACHE_DIR } from './binaries.ts';
import { ensurePatroni } from './patroni.ts';
import { killServer } from './server-process.ts';
import { promoteStandby, standbyPorts, startPostgres } from './start-postgres.ts';
import { clusterState, liveNodes } from './state.ts';

const USAGE = `usage: npm run postgres -- start|stop|status|promote|kill|patroni [--nodes 1|3] [--port N] [--dir D]

start    starts one server of PostgreSQL, or a primary and two standbys of which every commit waits for one; does nothing
         when they run. An old primary comes back as a standby. Uses the installed server, else gets npm's (once)
stop     stops them by their process ids; what they keep stays in the directory
status   says which run, and which is the primary; exit code 1 when none runs
promote  makes the standby that has most the primary, and lets the others follow it
kill     kills the primary (-9), to try a failover out
patroni  installs Patroni by pip (once), which the test of its promotions needs

--port  of the first node (default 5440); --dir holds their data
POSTGRES_BIN names the folder of the programs to use; npm stands for npm's, of which only one node can run`;

/** As root the servers run under another account, which often may not enter the repository. */
const DEFAULT_DIR =
  process.getuid?.() === 0 ? join(tmpdir(), 'esdb-gater-postgres') : join(CACHE_DIR, 'cluster');

async function start(settings: ServerSettings): Promise<number> {
  const { count: nodes, port } = settings;
  const dir = dirOf(settings);
  const running = clusterState.read(dir);
  const live = liveNodes(running);
  if (running !== undefined && live.length > 0 && running.nodes.length !== nodes) {
    throw new Error(`${running.nodes.length} of them run in ${dir}; stop them first, or name another --dir`);
  }
  if (running !== undefined && live.length === running.nodes.length) {
    say(`already running: ${running.url}`);
    return 0;
  }
  await Promise.all(live.map(({ pid }) => stopProcess(pid)));
  const postgres = await startPostgres({ nodes, port, dir, detached: true, say });
  clusterState.write(dir, {
    url: postgres.url,
    nodes: postgres.nodes.map(({ name, port, pid }) => ({ name, port, pid })),
  });
  say(`ready after ${(postgres.startedInMs / 1_000).toFixed(1)} s: ${postgres.url}`);
  return 0;
}

async function stop(settings: ServerSettings): Promise<number> {
  const dir = dirOf(settings);
  const live = liveNodes(clusterState.read(dir));
  await Promise.all(
    live.map(async ({ name, pid }) => {
      process.kill(pid, 'SIGINT');
      await stopProcess(pid);
      say(`${name} (pid ${pid}) has stopped`);
    }),
  );
  if (live.length === 0) say('nothing runs');
  clusterState.remove(dir);
  return 0;
}

async function status(settings: ServerSettings): Promise<number> {
  const dir = dirOf(settings);
  const state = clusterState.read(dir);
  const live = liveNodes(state);
  const standbys = await standbyPorts(live);
  for (const { name, port, pid } of live) {
    const role = standbys.includes(port) ? 'standby' : 'primary';
    say(`${name} at 127.0.0.1:${port} (${role}, pid ${pid})`);
  }
  say(live.length === 0 ? 'nothing runs' : `url ${state?.url}`);
  const down = live.length === 0 ? [] : (state?.nodes.filter((node) => !live.includes(node)) ?? []);
  for (const { name, port } of down) {
    say(`${name} at 127.0.0.1:${port} is down; \`npm run postgres -- start\` brings it back`);
  }
  return live.length === 0 ? 1 : 0;
}

async function promote(settings: ServerSettings): Promise<number> {
  const dir = dirOf(settings);
  const began = performance.now();
  const port = await promoteStandby(liveNodes(clusterState.read(dir)));
  say(`127.0.0.1:${port} is the primary after ${Math.round(performance.now() - began)} ms`);
  return 0;
}

async function kill(settings: ServerSettings): Promise<number> {
  const dir = dirOf(settings);
  const live = liveNodes(clusterState.read(dir));
  const standbys = await standbyPorts(live);
  const primary = live.find(({ port }) => !standbys.includes(port));
  if (primary === undefined) throw new Error('no primary is running');
  await killServer(primary.pid);
  say(`${primary.name} (pid ${primary.pid}) was killed`);
  return 0;
}

function patroni(): number {
  ensurePatroni(say);
  say('Patroni is installed');
  return 0;
}

function dirOf({ dir = DEFAULT_DIR }: ServerSettings): string {
  return resolve(dir);
}

const read = (): ServerSettings => serverSettings({ count: 'nodes', port: 5_440, lastPort: 65_533 });
await runCommand('postgres', USAGE, read, { start, stop, status, promote, kill, patroni });
