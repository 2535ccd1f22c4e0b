// The gateway in an application of Express, below /gater: `node examples/mount/express.ts`.
import { once } from 'node:events';
import { expressGateway, loadConfig, mountGateway } from '@esdb-gater/gateway';
import express from 'express';

export async function startApp({ port = 3000, dataDir = './data' } = {}) {
  const gateway = await mountGateway(loadConfig({ flags: { 'data-dir': dataDir } }), { prefix: '/gater' });
  const app = express();
  // Before parsers, which would read the bodies of the gateway's requests.
  app.use(expressGateway(gateway));
  app.use(express.json());

  // The routes of the application use the same stores, without a connection.
  app.post('/orders/:id', async ({ params, body }, response) => {
    const events = [{ type: 'order_placed', data: body }];
    const { version } = await gateway.gater.appendEvents({ streamId: `order-${params.id}`, events });
    response.status(201).json({ version });
  });

  const server = app.listen(port, '127.0.0.1');
  gateway.attach(server);
  await once(server, 'listening');
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
