import type { IncomingMessage, ServerResponse } from 'node:http';
import type { MountedGateway } from './mount-gateway.ts';

/**
 * Returns the middleware for Express, Connect and other frameworks with their signature. It comes before body parsers.
 * WebSockets need `gateway.attach(server)`, too.
 */
export function expressGateway(
  gateway: MountedGateway,
): (request: IncomingMessage, response: ServerResponse, next: () => void) => void {
  return (request, response, next) => {
    if (!gateway.handle(request, response)) next();
  };
}
