import { connect, serveWorker } from '@esdb-gater/client';
import { gatewaySuite, workerSuite } from '@esdb-gater/conformance';
import { createMemoryStore, createStoreWorker } from '@esdb-gater/event-store';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { freePort } from './support/gateway-processes.ts';
import { startTestGateway, type TestGateway } from './support/in-process.ts';

describe('the gateway keeps the promises of PROTOCOL.md', async () => {
  const port = await freePort();
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startTestGateway({ port: String(port) });
  });
  afterAll(() => gateway.close());
  for (const { title, run } of gatewaySuite(`ws://127.0.0.1:${port}/v1/ws`)) test(title, run);
});

describe('a worker over WebSocket keeps the promises of a store', () => {
  let gateway: TestGateway;
  let stores = 0;
  beforeAll(async () => {
    gateway = await startTestGateway();
  });
  afterAll(() => gateway.close());
  const cases = workerSuite({
    name: 'worker',
    async start() {
      const storeId = `of-worker-${stores++}`;
      const store = createMemoryStore({ storeId });
      const client = await connect(gateway.url);
      await serveWorker(client.connection, createStoreWorker(store, { nodeId: 'worker' }));
      return {
        url: gateway.url,
        storeId,
        async stop() {
          await client.close();
          await store.close();
        },
      };
    },
  });
  for (const { title, run } of cases) test(title, run);
});
