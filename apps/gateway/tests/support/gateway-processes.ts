import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { type GatewayProcess, startGatewayProcess, temporaryFolder } from './gateway-process.ts';

const WORKER = join(import.meta.dirname, 'named-worker.js');

/** Returns a port of this machine that nobody listens on. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** Nodes of a cluster, each in a process of its own, started by the commands of the README. */
export class GatewayProcesses {
  readonly #folder = temporaryFolder();
  readonly #ports = new Map<string, number>();
  readonly #secretFile: string;
  readonly #children: ChildProcess[] = [];
  readonly nodes = new Map<string, GatewayProcess>();

  constructor() {
    this.#secretFile = join(this.#folder.path, 'secret');
    writeFileSync(this.#secretFile, 'the secret of the cluster\n', { mode: 0o600 });
  }

  /** Chooses the addresses of all nodes, which the peers of each are made of. */
  async prepare(...names: string[]): Promise<void> {
    for (const name of names) this.#ports.set(name, await freePort());
  }

  async start(name: string, flags: readonly string[] = []): Promise<GatewayProcess> {
    const peers = [...this.#ports.values()].map((port) => `ws://127.0.0.1:${port}/v1/ws`).join(',');
    const node = await startGatewayProcess(join(this.#folder.path, name), [
      ...['--port', String(this.#ports.get(name)), '--node-id', name],
      ...['--cluster-discovery', 'static', '--cluster-peers', peers],
      ...['--cluster-secret-file', this.#secretFile, '--security-hmac-secret-file', this.#secretFile],
      ...['--stores', '{}'],
      ...flags,
    ]);
    this.nodes.set(name, node);
    return node;
  }

  /** Starts a worker of the store `orders` that lists its own name as the only stream. */
  async worker(node: GatewayProcess, name: string): Promise<ChildProcess> {
    const child = spawn(process.execPath, [WORKER, node.url, 'orders', 'uuid-of-orders', name], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#children.push(child);
    await once(child.stdout as NodeJS.ReadableStream, 'data');
    return child;
  }

  async close(): Promise<void> {
    for (const child of this.#children) child.kill('SIGKILL');
    await Promise.all([...this.nodes.values()].map((node) => node.kill9()));
    this.#folder.remove();
  }
}
