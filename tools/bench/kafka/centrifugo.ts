import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePorts } from '../../kafka/index.ts';
import { benchFolder } from '../lib/machine.ts';
import { type ServerProcess, serverOf } from './gateway-process.ts';

const READY_WITHIN_MS = 20_000;

/** Starts the Centrifugo that `CENTRIFUGO_BIN` names, with its Kafka consumer on a topic, on loopback only. */
export async function startCentrifugo(bootstrap: string, topic: string): Promise<ServerProcess> {
  const { CENTRIFUGO_BIN: binary = '' } = process.env;
  const [port = 0] = await freePorts(1);
  const file = join(benchFolder('centrifugo'), 'config.json');
  writeFileSync(file, JSON.stringify(configuration(port, bootstrap, topic)));
  const child = spawn(binary, ['-c', file], { stdio: ['ignore', 'ignore', 'inherit'] });
  const server = serverOf(child);
  await served(`http://127.0.0.1:${port}/health`);
  return { ...server, url: `ws://127.0.0.1:${port}/connection/websocket` };
}

function configuration(port: number, bootstrap: string, topic: string): object {
  return {
    http_server: { address: '127.0.0.1', port },
    log: { level: 'error' },
    usage_stats: { disabled: true },
    health: { enabled: true },
    // No tokens, as on the gateway's side.
    client: { insecure: true },
    consumers: [
      {
        enabled: true,
        name: 'bench',
        type: 'kafka',
        kafka: {
          brokers: bootstrap.split(','),
          topics: [topic],
          consumer_group: `bench-${randomUUID()}`,
          publication_data_mode: { enabled: true },
        },
      },
    ],
  };
}

async function served(url: string): Promise<void> {
  for (const deadline = performance.now() + READY_WITHIN_MS; ; await sleep(50)) {
    const answer = await fetch(url).catch(() => undefined);
    if (answer?.ok === true) return;
    if (performance.now() > deadline) throw new Error('Centrifugo does not serve');
  }
}
