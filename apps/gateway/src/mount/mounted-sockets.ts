import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { OutboundBudget } from '../access/outbound-budget.ts';
import type { SurfaceSockets } from '../gateway-surface.ts';

/** The requests of a gateway on the connections of a server that is not its own. */
export interface MountedSockets extends SurfaceSockets {
  /** Counts a request until its response has ended. */
  request(request: IncomingMessage, response: ServerResponse): void;
  /** Watches a connection that becomes a WebSocket until it ends. */
  upgrade(socket: Socket): void;
}

/**
 * Bounds the output of the connections while they answer the gateway, and ends what is under way when it stops.
 * Everything else on the connections is up to the server.
 */
export function watchMountedSockets(outbound: Pick<OutboundBudget, 'watch'>): MountedSockets {
  const requests = new Map<IncomingMessage, ServerResponse>();
  const upgraded = new Set<Socket>();
  let whenIdle: (() => void) | undefined;
  let draining = false;

  const watch = (socket: Socket): (() => void) =>
    outbound.watch({
      unsent: () => socket.writableLength,
      sent: () => socket.bytesWritten - socket.writableLength,
      cut: () => socket.destroy(),
    });

  return {
    request(request, response) {
      const { socket } = request;
      const unwatch = watch(socket);
      requests.set(request, response);
      if (draining && !request.complete) socket.destroy();
      response.once('close', () => {
        unwatch();
        requests.delete(request);
        if (requests.size === 0) whenIdle?.();
      });
    },
    upgrade(socket) {
      upgraded.add(socket);
      const unwatch = watch(socket);
      socket.once('close', () => {
        unwatch();
        upgraded.delete(socket);
      });
    },
    drain() {
      draining = true;
      for (const request of [...requests.keys()]) if (!request.complete) request.socket.destroy();
    },
    idle() {
      return new Promise((resolve) => {
        whenIdle = resolve;
        if (requests.size === 0) resolve();
      });
    },
    destroy() {
      for (const { socket } of [...requests.keys()]) socket.destroy();
      for (const socket of [...upgraded]) socket.destroy();
    },
  };
}
