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

/** Starts to listen. @throws `unavailable` when the address is in use or cannot be bound */
export async function listen(app: FastifyInstance, config: GatewayConfig): Promise<Listening> {
  try {
    await app.listen({ host: config.host, port: config.port });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const what = code === 'EADDRINUSE' ? 'is in use' : `cannot be bound (${code})`;
    throw new GaterError('unavailable', `port: ${config.host}:${config.port} ${what}`, { cause: error });
  }
  const { port, family, address } = app.server.address() as AddressInfo;
  const anyAddress = address === '0.0.0.0' || address === '::';
  const host = anyAddress ? 'localhost' : family === 'IPv6' ? `[${address}]` : address;
  const scheme = config.tls.certFile === null ? 'ws' : 'wss';
  return { port, url: config.advertiseUrl ?? `${scheme}://${host}:${port}${WS_PATH}` };
}
