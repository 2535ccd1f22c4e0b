import type { AddressInfo } from 'node:net';
import { GaterError } from '@esdb-gater/types';
import type { FastifyInstance } from 'fastify';
import type { GatewayConfig } from '../config/types.ts';

/** The path of the WebSocket protocol. */
export const WS_PATH = '/v1/ws';

/** The address of a listening gateway. */
export interface Listening {
  readonly port: number;
  /** The WebSocket URL: the advertised one, else its own. */
  readonly url: string;
}

export interface BindOptions {
  /** Lets other processes of this user listen on the same port. @default false */
  readonly reusePort?: boolean;
}

/** Starts to listen on the main port. @throws `unavailable` when the address is in use or cannot be bound */
export async function listen(
  app: FastifyInstance,
  config: GatewayConfig,
  options: BindOptions = {},
): Promise<Listening> {
  await bindPort(app, 'port', config, options);
  const address = app.server.address() as AddressInfo;
  const url = config.advertiseUrl ?? urlOf(address, { tls: config.tls.certFile !== null, prefix: '' });
  return { port: address.port, url };
}

/** Returns the WebSocket URL at an address of a server; a server without one is reached on this machine only. */
export function urlOf(
  at: AddressInfo | string | null,
  { tls, prefix }: { readonly tls: boolean; readonly prefix: string },
): string {
  const scheme = tls ? 'wss' : 'ws';
  if (at === null || typeof at === 'string') return `${scheme}://localhost${prefix}${WS_PATH}`;
  const { port, family, address } = at;
  const anyAddress = address === '0.0.0.0' || address === '::';
  const host = anyAddress ? 'localhost' : family === 'IPv6' ? `[${address}]` : address;
  return `${scheme}://${host}:${port}${prefix}${WS_PATH}`;
}

/** Binds the address of the setting `key`. @throws `unavailable` when it is in use or cannot be bound */
export async function bindPort(
  app: FastifyInstance,
  key: string,
  { host, port }: { readonly host: string; readonly port: number },
  { reusePort = false }: BindOptions = {},
): Promise<void> {
  try {
    // Newer than Fastify's types, which passes it on to the server.
    await app.listen({ host, port, ...(reusePort ? { reusePort } : {}) } as { host: string; port: number });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const what = code === 'EADDRINUSE' ? 'is in use' : `cannot be bound (${code})`;
    throw new GaterError('unavailable', `${key}: ${host}:${port} ${what}`, { cause: error });
  }
}
