import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePorts } from '../../kafka/index.ts';
import { answersWithin, benchFolder } from './machine.ts';
import { type ServerProcess, serverOf } from './server-process.ts';

/** Returns the path that `CENTRIFUGO_BIN` names. */
export function centrifugoBinary(): string | undefined {
  const { CENTRIFUGO_BIN } = process.env;
  return CENTRIFUGO_BIN;
}

/** Starts the Centrifugo that `CENTRIFUGO_BIN` names, on loopback only, with what `extra` adds to its configuration. */
export async function startCentrifugo(extra: object): Promise<ServerProcess> {
  const [port = 0] = await freePorts(1);
  const file = join(benchFolder('centrifugo'), 'config.json');
  const configuration = {
    http_server: { address: '127.0.0.1', port },
    log: { level: 'error' },
    usage_stats: { disabled: true },
    health: { enabled: true },
    // No tokens, as on the gateway's side.
    client: { insecure: true },
    ...extra,
  };
  writeFileSync(file, JSON.stringify(configuration));
  const child = spawn(centrifugoBinary() ?? '', ['-c', file], { stdio: ['ignore', 'ignore', 'inherit'] });
  const server = serverOf(child, `ws://127.0.0.1:${port}/connection/websocket`);
  await answersWithin(`http://127.0.0.1:${port}/health`, (status) => status === 200);
  return server;
}
