import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { freePorts } from '../../../../tools/kafka/index.ts';
import { serverAccount, until } from '../../../../tools/postgres/server-process.ts';

/** A pooler in front of a server. */
export interface RunningPgBouncer {
  readonly url: string;
  stop(): Promise<void>;
}

/** Starts PgBouncer in transaction mode: the transactions of a connection run on any of three connections to the server. */
export async function startPgBouncer(serverPort: number, folder: string): Promise<RunningPgBouncer> {
  const [port = 0] = await freePorts(1);
  const dir = join(folder, 'pgbouncer');
  mkdirSync(dir);
  for (const path of [folder, dir]) chmodSync(path, 0o755);
  const config = join(dir, 'pgbouncer.ini');
  writeFileSync(
    config,
    `[databases]
postgres = host=127.0.0.1 port=${serverPort} dbname=postgres user=postgres
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 3
`,
  );
  const account = serverAccount();
  const child = spawn('pgbouncer', [config], {
    ...account,
    env: { ...process.env, PATH: `${process.env['PATH']}:/usr/sbin` },
    stdio: 'ignore',
  });
  await until('PgBouncer did not listen', () => listens(port));
  return {
    url: `postgres://postgres@127.0.0.1:${port}/postgres?sslmode=disable`,
    async stop() {
      const exit = once(child, 'exit');
      child.kill('SIGKILL');
      await exit;
    },
  };
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}
