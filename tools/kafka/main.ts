#!/usr/bin/env node
import { resolve } from 'node:path';
import { runCommand, type ServerSettings, say, serverSettings } from '../servers/command.ts';
import { stopProcess } from '../servers/processes.ts';
import { CACHE_DIR } from './install.ts';
import { gatewayFlags, securityIn } from './secure.ts';
import { startKafka } from './start-kafka.ts';
import { clusterState, liveBrokers } from './state.ts';

const USAGE = `usage: npm run kafka -- start|stop|status [--brokers 1|3] [--port N] [--dir D] [--secure]

start   gets Apache Kafka by Maven (once) and starts one broker, or three; does nothing when they run
stop    stops them by their process ids; what they keep stays in the directory
status  says which run; exit code 1 when none does

--secure  clients connect by TLS and log in; the last line has the flags that a gateway needs
--port  of the first broker (default 9092); --dir holds their data (default .cache/kafka/cluster)
KAFKA_BROKERS names brokers that are there already: then nothing is started`;

async function start(settings: ServerSettings): Promise<number> {
  const { count: brokers, port } = settings;
  const dir = dirOf(settings);
  const secure = settings.switches.has('secure');
  const running = clusterState.read(dir);
  const live = liveBrokers(running);
  if (running !== undefined && live.length === running.brokers.length) {
    say(`already running: KAFKA_BROKERS=${running.bootstrap}`);
    if (secure) say(gatewayFlags(running.bootstrap, securityIn(dir)));
    return 0;
  }
  // Some of them have ended: the others would keep the ports and the locks on the data.
  await Promise.all(live.map(({ pid }) => stopProcess(pid)));
  const kafka = await startKafka({ brokers, port, dir, secure, detached: true, say });
  if (kafka.brokers.length > 0) {
    clusterState.write(dir, {
      bootstrap: kafka.bootstrap,
      brokers: kafka.brokers.map(({ nodeId, address, pid }) => ({ nodeId, address, pid })),
    });
  }
  say(`ready after ${(kafka.startedInMs / 1_000).toFixed(1)} s: KAFKA_BROKERS=${kafka.bootstrap}`);
  if (kafka.security !== undefined) say(gatewayFlags(kafka.bootstrap, kafka.security));
  return 0;
}

async function stop(settings: ServerSettings): Promise<number> {
  const dir = dirOf(settings);
  const live = liveBrokers(clusterState.read(dir));
  await Promise.all(
    live.map(async ({ nodeId, pid }) => {
      await stopProcess(pid);
      say(`broker ${nodeId} (pid ${pid}) has stopped`);
    }),
  );
  if (live.length === 0) say('nothing runs');
  clusterState.remove(dir);
  return 0;
}

function status(settings: ServerSettings): number {
  const live = liveBrokers(clusterState.read(dirOf(settings)));
  for (const { nodeId, address, pid } of live) say(`broker ${nodeId} at ${address} (pid ${pid})`);
  if (live.length === 0) say('nothing runs');
  return live.length === 0 ? 1 : 0;
}

function dirOf({ dir, switches }: ServerSettings): string {
  return resolve(dir ?? `${CACHE_DIR}/${switches.has('secure') ? 'secure-cluster' : 'cluster'}`);
}

const read = (): ServerSettings =>
  serverSettings({ count: 'brokers', port: 9_092, lastPort: 65_529, switches: ['secure'] });
await runCommand('kafka', USAGE, read, { start, stop, status });
