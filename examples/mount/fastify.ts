// The gateway in an application of Fastify, below /gater: `node examples/mount/fastify.ts`.
import { fastifyGateway, loadConfig, mountGateway } from '@esdb-gater/gateway';
import { fastify } from 'fastify';

export async function startApp({ port = 3000, dataDir = './data' } = {}) {
  const gateway = await mountGateway(loadConfig({ flags: { 'data-dir': dataDir } }), { prefix: '/gater' });
  // A connection that has sent nothing yet would keep Fastify open.
  const app = fastify({ forceCloseConnections: true });
  await app.register(fastifyGateway, { gateway });

  // The routes of the application use the same stores, without a connection.
  app.post<{ Params: { id: string }; Body: { total: number } }>(
    '/orders/:id',
    async ({ params, body }, reply) => {
      const events = [{ type: 'order_placed', data: body }];
      const { version } = await gateway.gater.appendEvents({ streamId: `order-${params.id}`, events });
      return reply.code(201).send({ version });
    },
  );

  await app.listen({ port });
  // Fastify stops the gateway before its server.
  return { gateway, close: () => app.close() };
}

if (import.meta.main) {
  const { gateway, close } = await startApp();
  console.log(gateway.url);
  process.once('SIGTERM', close);
}
