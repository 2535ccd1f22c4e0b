#!/usr/bin/env node
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { CACHE_DIR } from './binaries.ts';
import { killServer, stopProcess } from './server-process.ts';
import { promoteStandby, standbyPorts, startPostgres } from './start-postgres.ts';
import { liveNodes, readState, removeState, writeState } from './state.ts';

const USAGE = `usage: npm run postgres -- start|stop|status|promote|kill [--nodes 1|3] [--port N] [--dir D]

start    starts one server of PostgreSQL, or a primary and two standbys of which every commit waits for one; does nothing
         when they run. Uses the installed server, else gets npm's (once)
stop     stops them by their process ids; what they keep stays in the directory
status   says which run; exit code 1 when none does
promote  makes the standby that has most the primary, and lets the others follow it
kill     kills the primary (-9), to try a failover out

--port  of the first node (default 5440); --dir holds their data
POSTGRES_BIN names the folder of the programs to use`;

/** As root the servers run under another account, which often may not enter the repository. */
const DEFAULT_DIR =
  process.getuid?.() === 0 ? join(tmpdir(), 'esdb-gater-postgres') : join(CACHE_DIR, 'cluster');

const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

async function start(dir: string, nodes: 1 | 3, port: number): Promise<number> {
  const running = readState(dir);
  const live = liveNodes(running);
  if (running !== undefined && live.length === running.nodes.length) {
    say(`already running: ${running.url}`);
    return 0;
  }
  await Promise.all(live.map(({ pid }) => stopProcess(pid)));
  const postgres = await startPostgres({ nodes, port, dir, detached: true, say });
  writeState(dir, {
    url: postgres.url,
    nodes: postgres.nodes.map(({ name, port, pid }) => ({ name, port, pid })),
  });
  say(`ready after ${(postgres.startedInMs / 1_000).toFixed(1)} s: ${postgres.url}`);
  return 0;
}

async function stop(dir: string): Promise<number> {
  const live = liveNodes(readState(dir));
  await Promise.all(
    live.map(async ({ name, pid }) => {
      process.kill(pid, 'SIGINT');
      await stopProcess(pid);
      say(`${name} (pid ${pid}) has stopped`);
    }),
  );
  if (live.length === 0) say('nothing runs');
  removeState(dir);
  return 0;
}

function status(dir: string): number {
  const state = readState(dir);
  const live = liveNodes(state);
  for (const { name, port, pid } of live) say(`${name} at 127.0.0.1:${port} (pid ${pid})`);
  say(live.length === 0 ? 'nothing runs' : `url ${state?.url}`);
  return live.length === 0 ? 1 : 0;
}

async function promote(dir: string): Promise<number> {
  const began = performance.now();
  const port = await promoteStandby(liveNodes(readState(dir)));
  say(`127.0.0.1:${port} is the primary after ${Math.round(performance.now() - began)} ms`);
  return 0;
}

async function kill(dir: string): Promise<number> {
  const live = liveNodes(readState(dir));
  const standbys = await standbyPorts(live);
  const primary = live.find(({ port }) => !standbys.includes(port));
  if (primary === undefined) throw new Error('no primary is running');
  await killServer(primary.pid);
  say(`${primary.name} (pid ${primary.pid}) was killed`);
  return 0;
}

class UsageError extends Error {}

function settings(): { command: string; nodes: 1 | 3; port: number; dir: string } {
  let parsed: ReturnType<typeof parse>;
  try {
    parsed = parse();
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
  const { values, positionals } = parsed;
  if (values.help === true) throw new UsageError('');
  const [command = '', ...extra] = positionals;
  if (extra.length > 0) throw new UsageError(`one command at a time, not ${positionals.join(' ')}`);
  if (values.nodes !== '1' && values.nodes !== '3') {
    throw new UsageError(`--nodes is 1 or 3, not ${values.nodes}`);
  }
  const port = Number(values.port);
  if (!Number.isInteger(port) || port < 1 || port > 65_533) {
    throw new UsageError(`--port is a port from 1 to 65533, not ${values.port}`);
  }
  return { command, nodes: values.nodes === '3' ? 3 : 1, port, dir: resolve(values.dir) };
}

function parse() {
  return parseArgs({
    allowPositionals: true,
    options: {
      nodes: { type: 'string', default: '1' },
      port: { type: 'string', default: '5440' },
      dir: { type: 'string', default: DEFAULT_DIR },
      help: { type: 'boolean' },
    },
  });
}

async function main(): Promise<number> {
  const { command, nodes, port, dir } = settings();
  switch (command) {
    case 'start':
      return await start(dir, nodes, port);
    case 'stop':
      return await stop(dir);
    case 'status':
      return status(dir);
    case 'promote':
      return await promote(dir);
    case 'kill':
      return await kill(dir);
    default:
      throw new UsageError(command === '' ? 'a command is missing' : `there is no command ${command}`);
  }
}

try {
  process.exitCode = await main();
} catch (error) {
  const message = error instanceof Error ? error.message : String(error);
  const asked = error instanceof UsageError && message === '';
  if (asked) process.stdout.write(`${USAGE}\n`);
  else process.stderr.write(`postgres: ${message}\n${error instanceof UsageError ? `\n${USAGE}\n` : ''}`);
  process.exitCode = asked ? 0 : error instanceof UsageError ? 2 : 1;
}
