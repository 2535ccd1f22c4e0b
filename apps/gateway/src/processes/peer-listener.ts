import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WS_PATH } from '../http/listen.ts';

/** The address that only this machine reaches. */
export const PEER_HOST = '127.0.0.1';

/** A port for the other processes, which share the main one. */
export interface PeerListener {
  readonly url: string;
  readonly port: number;
  /** Returns true for a request that arrived here. */
  accepted(request: IncomingMessage): boolean;
  close(): Promise<void>;
}

/** More than the processes of a gateway need: two connections with each. */
const MAX_CONNECTIONS = 256;

/** Serves the WebSockets of `server` on a port of loopback besides. */
export async function openPeerListener(server: Server): Promise<PeerListener> {
  const listener = createServer((_, response) => response.writeHead(404).end());
  const here = new WeakSet<IncomingMessage>();
  listener.maxConnections = MAX_CONNECTIONS;
  listener.on('upgrade', (request, socket, head) => {
    here.add(request);
    server.emit('upgrade', request, socket, head);
  });
  listener.listen(0, PEER_HOST);
  await once(listener, 'listening');
  const { port } = listener.address() as AddressInfo;
  return {
    url: `ws://${PEER_HOST}:${port}${WS_PATH}`,
    port,
    accepted: (request) => here.has(request),
    close: () =>
      new Promise((resolve) => {
        listener.close(() => resolve());
        listener.closeAllConnections();
      }),
  };
}
