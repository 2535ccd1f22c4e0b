import { once } from 'node:events';
import { connect } from '@esdb-gater/client';
import { afterEach, expect, test } from 'vitest';
import { WebSocketServer } from 'ws';

const cleanUps: (() => unknown)[] = [];
afterEach(() => {
  for (const cleanUp of cleanUps.splice(0).reverse()) cleanUp();
});

test('a client goes on when a later gateway tells and answers what it does not know [F22]', async () => {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', handleProtocols: () => 'esdb-gater.v1' });
  await once(server, 'listening');
  cleanUps.push(() => {
    for (const socket of server.clients) socket.terminate();
    server.close();
  });
  server.on('connection', (socket) => {
    const send = (message: object): void => socket.send(JSON.stringify({ jsonrpc: '2.0', ...message }));
    send({
      method: 'hello',
      later: true,
      params: {
        gatewayDid: 'did:key:z',
        nodeId: 'later',
        version: '9.0.0',
        nonce: 'n',
        capabilities: 'negotiated',
        methods: ['getVersion', 'fly'],
        limits: { frameBytes: 1_048_576, messageBytes: 1_000, inFlight: 8, batch: 2, wings: 2 },
        wings: 2,
      },
    });
    send({ method: 'flown', params: { far: true } });
    socket.on('message', (data) => {
      const { id, method } = JSON.parse(String(data)) as { readonly id: number; readonly method: string };
      if (method === 'getVersion') send({ id, result: { version: 7, wings: 2 }, later: true });
      else {
        send({
          id,
          error: { code: -32_000, message: 'no wind', data: { code: 'no_wind', retriable: false, knots: 3 } },
        });
      }
    });
  });
  const { port } = server.address() as { readonly port: number };
  await using client = await connect(`ws://127.0.0.1:${port}/v1/ws`);
  const stream = { storeId: 'default', streamId: 's' };
  await expect(client.streamExists(stream)).rejects.toMatchObject({
    message: expect.stringContaining('no wind'),
  });
  expect(await client.getVersion(stream)).toMatchObject({ version: 7 });
  expect(client.hello).toMatchObject({ version: '9.0.0', methods: ['getVersion', 'fly'] });
});
