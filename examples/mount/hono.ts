// The gateway in an application of Hono on Node.js, below /gater: `node examples/mount/hono.ts`.
import { once } from 'node:events';
import type { Server } from 'node:http';
import { honoGateway, loadConfig, mountGateway } from '@esdb-gater/gateway';
import { serve } from '@hono/node-server';
import { Hono } from 'hono';

export async function startApp({ port = 3000, dataDir = './data' } = {}) {
  const gateway = await mountGateway(loadConfig({ flags: { 'data-dir': dataDir } }), { prefix: '/gater' });
  const app = new Hono();
  app.use(honoGateway(gateway));

  // The routes of the application use the same stores, without a connection.
  app.post('/orders/:id', async (context) => {
    const events = [{ type: 'order_placed', data: await context.req.json() }];
    const streamId = `order-${context.req.param('id')}`;
    const { version } = await gateway.gater.appendEvents({ streamId, events });
    return context.json({ version }, 201);
  });

  const server = serve({ fetch: app.fetch, port, hostname: '127.0.0.1' }) as Server;
  gateway.attach(server);
  if (!server.listening) await once(server, 'listening');
  return {
    gateway,
    async close() {
      await gateway.close();
      const closed = once(server, 'close');
      server.close();
      // A connection that has sent nothing yet would keep the server open.
      server.closeAllConnections();
      await closed;
    },
  };
}

if (import.meta.main) {
  const { gateway, close } = await startApp();
  console.log(gateway.url);
  process.once('SIGTERM', close);
}
