import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { benchFolder } from '../lib/machine.ts';

const BIN = join(import.meta.dirname, '..', '..', '..', 'apps', 'gateway', 'bin', 'esdb-gater.js');

export type DriverName = 'kafkajs' | 'platformatic';

export interface KafkaGatewayOptions {
  readonly name: string;
  readonly bootstrap: string;
  readonly topicPrefix: string;
  readonly driver: DriverName;
}

/** The server to measure, in a separate process. */
export interface ServerProcess {
  readonly pid: number;
  readonly url: string;
  stop(): Promise<void>;
}

/** A process that never outlives this one. */
export function serverOf(child: ChildProcess): Omit<ServerProcess, 'url'> {
  const kill = (): void => void child.kill('SIGKILL');
  process.once('exit', kill);
  return {
    pid: child.pid as number,
    async stop() {
      process.removeListener('exit', kill);
      const exited = once(child, 'exit');
      child.kill('SIGTERM');
      await exited;
    },
  };
}

/** Starts a gateway over Kafka, everything else as by default, in a process that never outlives this one. */
export async function startGateway(options: KafkaGatewayOptions): Promise<ServerProcess> {
  const flags = {
    port: '0',
    'data-dir': benchFolder(`kafka-gateway-${options.name}`),
    'log-level': 'warn',
    stores: '{}',
    'kafka-brokers': options.bootstrap,
    'kafka-topic-prefix': options.topicPrefix,
    'kafka-driver': options.driver,
    'node-id': options.name,
  };
  const child = spawn(
    process.execPath,
    [BIN, 'start', ...Object.entries(flags).flatMap(([flag, value]) => [`--${flag}`, value])],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, ESDB_GATER_SECURITY_HMAC_SECRET: 'a secret of the bench' },
    },
  );
  const server = serverOf(child);
  for await (const line of createInterface({ input: child.stdout })) {
    const { url } = JSON.parse(line) as { readonly url?: string };
    if (url === undefined) continue;
    child.stdout.resume();
    return { ...server, url };
  }
  throw new Error(`the gateway ${options.name} ended before it printed its url`);
}
