import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** What a proxy does with a new connection: passes it on, answers each request with a status, or never answers. */
export type ProxyMode = 'pass' | 'hang' | 404 | 502;

export interface SilentProxy {
  readonly port: number;
  /** For connections that begin from now on. */
  mode: ProxyMode;
  /** How many connections began. */
  readonly connections: number;
  /** Lets the paths of all open connections die: nothing is passed on any more, and nothing is closed. */
  freeze(): void;
  /** Closes all open connections. */
  cut(): void;
  close(): Promise<void>;
}

/** A proxy before the port `target` of 127.0.0.1 that fails as proxies and networks do. */
export async function startSilentProxy(target: number): Promise<SilentProxy> {
  const sockets = new Set<Socket>();
  let connections = 0;
  let frozen = new WeakSet<Socket>();
  const keep = (socket: Socket): Socket => {
    sockets.add(socket);
    // Broken connections are expected here.
    return socket.on('error', () => socket.destroy()).on('close', () => sockets.delete(socket));
  };
  let mode: ProxyMode = 'pass';
  const server = createServer({ noDelay: true }, (client) => {
    connections += 1;
    keep(client);
    if (mode === 'hang') return void client.resume();
    if (mode !== 'pass') {
      const status = mode;
      client.once('data', () =>
        client.end(`HTTP/1.1 ${status} Proxy\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`),
      );
      return;
    }
    const upstream = keep(connect({ host: '127.0.0.1', port: target, noDelay: true }));
    const pass = (from: Socket, to: Socket): void => {
      from.on('data', (chunk) => {
        if (!frozen.has(client)) to.write(chunk);
      });
      from.on('close', () => {
        if (!frozen.has(client)) to.destroy();
      });
    };
    pass(client, upstream);
    pass(upstream, client);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    get mode() {
      return mode;
    },
    set mode(next) {
      mode = next;
    },
    port: (server.address() as AddressInfo).port,
    get connections() {
      return connections;
    },
    freeze() {
      frozen = new WeakSet(sockets);
    },
    cut() {
      for (const socket of sockets) socket.destroy();
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
