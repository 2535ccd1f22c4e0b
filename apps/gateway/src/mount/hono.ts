import type { IncomingMessage, ServerResponse } from 'node:http';
import { invalidOption } from '@esdb-gater/primitives';
import type { MountedGateway } from './mount-gateway.ts';

/** The part of a context of Hono that the middleware needs. */
interface HonoContext {
  readonly env: unknown;
}

/** The header by which `@hono/node-server` knows that a response was written without it. */
const ALREADY_SENT = { 'x-hono-already-sent': 'true' };

/**
 * Returns the middleware for Hono on Node.js, with `@hono/node-server`. WebSockets need `gateway.attach(server)`, too.
 *
 * The middleware throws `invalid_argument` (reason `env`) in another runtime than Node.js.
 */
export function honoGateway(
  gateway: MountedGateway,
): (context: HonoContext, next: () => Promise<void>) => Promise<Response | undefined> {
  return async ({ env }, next) => {
    const { incoming, outgoing } = (env ?? {}) as {
      readonly incoming?: IncomingMessage;
      readonly outgoing?: ServerResponse;
    };
    if (incoming === undefined) {
      throw invalidOption('env', env, 'the bindings of @hono/node-server', { reason: 'env' });
    }
    // Without a response it is an upgrade, which `attach` serves.
    if (outgoing === undefined || !gateway.handle(incoming, outgoing)) {
      await next();
      return undefined;
    }
    // Until then the server must leave the body of the request alone.
    if (!outgoing.closed) await new Promise((resolve) => outgoing.once('close', resolve));
    const response = new Response(null, { headers: ALREADY_SENT });
    // Reading the body makes a full response of one that `@hono/node-server` would write without looking at its headers.
    void response.body;
    return response;
  };
}
