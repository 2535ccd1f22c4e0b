#!/usr/bin/env node
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { stopProcess } from './broker-process.ts';
import { CACHE_DIR } from './install.ts';
import { startKafka } from './start-kafka.ts';
import { liveBrokers, readState, removeState, writeState } from './state.ts';

const USAGE = `usage: npm run kafka -- start|stop|status [--brokers 1|3] [--port N] [--dir D] [--secure]

start   gets Apache Kafka by Maven (once) and starts one broker, or three; does nothing when they run
stop    stops them by their process ids; what they keep stays in the directory
status  says which run; exit code 1 when none does

--secure  clients connect by TLS and log in; prints the settings that a gateway needs
--port  of the first broker (default 9092); --dir holds their data (default .cache/kafka/cluster)
KAFKA_BROKERS names brokers that are there already: then nothing is started`;

const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

async function start({ dir, brokers, port, secure }: Settings): Promise<number> {
  const running = readState(dir);
  const live = liveBrokers(running);
  if (running !== undefined && live.length === running.brokers.length) {
    say(`already running: KAFKA_BROKERS=${running.bootstrap}`);
    return 0;
  }
  // Some of them have ended: the others would keep the ports and the locks on the data.
  await Promise.all(live.map(({ pid }) => stopProcess(pid)));
  const kafka = await startKafka({ brokers, port, dir, secure, detached: true, say });
  if (kafka.brokers.length > 0) {
    writeState(dir, {
      bootstrap: kafka.bootstrap,
      brokers: kafka.brokers.map(({ nodeId, address, pid }) => ({ nodeId, address, pid })),
    });
  }
  say(`ready after ${(kafka.startedInMs / 1_000).toFixed(1)} s: KAFKA_BROKERS=${kafka.bootstrap}`);
  if (kafka.security !== undefined) {
    const { caFile, user, passwordFile } = kafka.security;
    say(
      `--kafka-brokers ${kafka.bootstrap} --kafka-ssl-enabled --kafka-ssl-ca-file ${caFile} ` +
        `--kafka-sasl-mechanism scram-sha-512 --kafka-sasl-username ${user.username} ` +
        `--kafka-sasl-password-file ${passwordFile}`,
    );
  }
  return 0;
}

async function stop(dir: string): Promise<number> {
  const live = liveBrokers(readState(dir));
  await Promise.all(
    live.map(async ({ nodeId, pid }) => {
      await stopProcess(pid);
      say(`broker ${nodeId} (pid ${pid}) has stopped`);
    }),
  );
  if (live.length === 0) say('nothing runs');
  removeState(dir);
  return 0;
}

function status(dir: string): number {
  const live = liveBrokers(readState(dir));
  for (const { nodeId, address, pid } of live) say(`broker ${nodeId} at ${address} (pid ${pid})`);
  if (live.length === 0) say('nothing runs');
  return live.length === 0 ? 1 : 0;
}

class UsageError extends Error {}

interface Settings {
  readonly command: string;
  readonly brokers: 1 | 3;
  readonly port: number;
  readonly dir: string;
  readonly secure: boolean;
}

function settings(): Settings {
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
  if (values.brokers !== '1' && values.brokers !== '3') {
    throw new UsageError(`--brokers is 1 or 3, not ${values.brokers}`);
  }
  const port = Number(values.port);
  if (!Number.isInteger(port) || port < 1 || port > 65_529) {
    throw new UsageError(`--port is a port from 1 to 65529, not ${values.port}`);
  }
  const secure = values.secure === true;
  const dir = resolve(values.dir ?? `${CACHE_DIR}/${secure ? 'secure-cluster' : 'cluster'}`);
  return { command, brokers: values.brokers === '3' ? 3 : 1, port, dir, secure };
}

function parse() {
  return parseArgs({
    allowPositionals: true,
    options: {
      brokers: { type: 'string', default: '1' },
      port: { type: 'string', default: '9092' },
      dir: { type: 'string' },
      secure: { type: 'boolean' },
      help: { type: 'boolean' },
    },
  });
}

async function main(): Promise<number> {
  const given = settings();
  const { command, dir } = given;
  switch (command) {
    case 'start':
      return await start(given);
    case 'stop':
      return await stop(dir);
    case 'status':
      return status(dir);
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
  else process.stderr.write(`kafka: ${message}\n${error instanceof UsageError ? `\n${USAGE}\n` : ''}`);
  process.exitCode = asked ? 0 : error instanceof UsageError ? 2 : 1;
}
