import { invalidOption } from '@esdb-gater/primitives';
import type { FastifyInstance } from 'fastify';
import type { MountedGateway } from './mount-gateway.ts';

export interface FastifyGatewayOptions {
  readonly gateway: MountedGateway;
  /** The prefix of `mountGateway`, for those who expect it here. */
  readonly prefix?: string;
}

/**
 * The plugin for Fastify: serves HTTP and WebSocket of the gateway, and stops it when Fastify is closed. Hooks `onRequest`
 * that were added before see its requests, and can refuse them.
 *
 * @throws `invalid_argument` (reason `prefix`) for another prefix than that of the gateway
 */
export async function fastifyGateway(
  app: FastifyInstance,
  { gateway, prefix = gateway.prefix }: FastifyGatewayOptions,
): Promise<void> {
  if (prefix !== gateway.prefix) {
    throw invalidOption('prefix', prefix, `the prefix of mountGateway, ${JSON.stringify(gateway.prefix)}`);
  }
  app.addHook('onRequest', (request, reply, done) => {
    if (gateway.handle(request.raw, reply.raw)) reply.hijack();
    else done();
  });
  gateway.attach(app.server);
  // Before Fastify waits for the connections, which only the gateway can end.
  app.addHook('preClose', () => gateway.close());
}

// The hooks are for the whole server, not only for what is registered within the plugin.
Object.assign(fastifyGateway, { [Symbol.for('skip-override')]: true });
