import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { callerOf } from '../access/caller.ts';
import type { OutboundBudget } from '../access/outbound-budget.ts';

export interface PortSocketsOptions {
  readonly maxSockets: number;
  /** Maximum of one address; null is unlimited. Loopback is not limited. */
  readonly maxPerAddress: number | null;
  /** Watches the output of all connections. */
  readonly outbound: Pick<OutboundBudget, 'watch'>;
  readonly tls: boolean;
}

/** The TCP connections of the gateway's port, before and after they become anything else. */
export interface PortSockets {
  readonly size: number;
  /** From now on destroys each connection without a complete request, at once or when its response has been sent. */
  drain(): void;
  /** Destroys all connections. */
  destroy(): void;
}

interface Entry {
  readonly socket: Socket;
  readonly idle: Set<Entry>;
  /** The requests whose response has not ended. */
  readonly requests: Set<IncomingMessage>;
  upgraded: boolean;
}

interface AddressSockets {
  count: number;
  readonly idle: Set<Entry>;
}

/**
 * Bounds the connections of `server`, in all and per address, before anything is read from them. When there is no room,
 * the connection that has been without a request for the longest time gives way, so that connections that send nothing
 * cannot shut others out; a new one is refused only when all others are in use.
 */
export function watchSockets(server: Server, options: PortSocketsOptions): PortSockets {
  /** By remote address and port: under TLS a request has another socket than its connection. */
  const entries = new Map<string, Entry>();
  const byAddress = new Map<string, AddressSockets>();
  const idle = new Set<Entry>();
  let draining = false;

  const keyOf = (socket: Socket): string => `${socket.remoteAddress} ${socket.remotePort}`;

  function setIdle(entry: Entry, value: boolean): void {
    for (const set of [idle, entry.idle]) {
      if (value) set.add(entry);
      else set.delete(entry);
    }
    if (value && draining) entry.socket.destroy();
  }

  /** Destroys the oldest connection of `from`. Returns false when it is empty. */
  function giveWay(from: Set<Entry>): boolean {
    const [oldest] = from;
    if (oldest === undefined) return false;
    setIdle(oldest, false);
    oldest.socket.destroy();
    return true;
  }

  server.on('connection', (socket: Socket) => {
    if (socket.remoteAddress === undefined) {
      socket.destroy();
      return;
    }
    const { address, loopback } = callerOf({ socket });
    const here = byAddress.get(address) ?? { count: 0, idle: new Set() };
    const full = !loopback && options.maxPerAddress !== null && here.count >= options.maxPerAddress;
    if ((full && !giveWay(here.idle)) || (entries.size >= options.maxSockets && !giveWay(idle))) {
      socket.destroy();
      return;
    }
    byAddress.set(address, here);
    here.count++;
    const key = keyOf(socket);
    const entry: Entry = { socket, idle: here.idle, requests: new Set(), upgraded: false };
    entries.set(key, entry);
    setIdle(entry, true);
    socket.once('close', () => {
      if (entries.get(key) === entry) entries.delete(key);
      setIdle(entry, false);
      if (--here.count === 0) byAddress.delete(address);
    });
  });

  // Under TLS the output waits in the socket that encrypts.
  server.on(options.tls ? 'secureConnection' : 'connection', (socket: Socket) => {
    if (socket.destroyed) return;
    const unwatch = options.outbound.watch({
      unsent: () => socket.writableLength,
      sent: () => socket.bytesWritten - socket.writableLength,
      cut: () => socket.destroy(),
    });
    socket.once('close', unwatch);
  });

  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    const entry = entries.get(keyOf(request.socket));
    if (entry === undefined) return;
    entry.requests.add(request);
    setIdle(entry, false);
    response.once('close', () => {
      entry.requests.delete(request);
      if (entry.requests.size === 0 && !entry.socket.destroyed) setIdle(entry, true);
    });
  });

  server.on('upgrade', (request: IncomingMessage) => {
    const entry = entries.get(keyOf(request.socket));
    if (entry === undefined) return;
    entry.upgraded = true;
    setIdle(entry, false);
  });

  return {
    get size() {
      return entries.size;
    },
    drain() {
      draining = true;
      for (const entry of [...entries.values()]) {
        const isComplete = entry.requests.size > 0 && [...entry.requests].every(({ complete }) => complete);
        if (!entry.upgraded && !isComplete) entry.socket.destroy();
      }
    },
    destroy() {
      for (const { socket } of [...entries.values()]) socket.destroy();
    },
  };
}
