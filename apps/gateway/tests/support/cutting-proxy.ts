import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export interface CuttingProxyOptions {
  /** Of 127.0.0.1, where it passes everything on to. */
  readonly target: number;
  /** Where it listens itself. @default a free port */
  readonly port?: number;
  /** Whether the answer to these bytes is lost. Asked for every chunk that a client sends. */
  readonly loses: (request: Buffer) => boolean;
}

export interface CuttingProxy {
  readonly port: number;
  /** Answers that came and were not passed on. */
  readonly lost: number;
  close(): Promise<void>;
}

/**
 * A proxy that loses only answers: the request reaches the other side and is executed there, and instead of forwarding
 * its answer, the proxy closes the connection.
 */
export async function startCuttingProxy({
  target,
  port = 0,
  loses,
}: CuttingProxyOptions): Promise<CuttingProxy> {
  const sockets = new Set<Socket>();
  let lost = 0;
  const server = createServer({ noDelay: true }, (client) => {
    const upstream = connect({ host: '127.0.0.1', port: target, noDelay: true });
    let loseNext = false;
    const end = (): void => {
      for (const socket of [client, upstream]) {
        socket.destroy();
        sockets.delete(socket);
      }
    };
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      // Broken connections are expected here.
      socket.on('error', end);
      socket.on('close', end);
    }
    client.on('data', (chunk) => {
      loseNext ||= loses(chunk);
      upstream.write(chunk);
    });
    upstream.on('data', (chunk) => {
      if (!loseNext) client.write(chunk);
      else {
        lost += 1;
        end();
      }
    });
  }).listen(port, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    get lost() {
      return lost;
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
