import { connect } from '@esdb-gater/client';
import type { Logger } from '@esdb-gater/types';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { postgresUnavailable, type RunningPostgres, startPostgres } from '../../../tools/postgres/index.ts';
import { startTestGateway, type TestGateway } from './support/in-process.ts';

const reason = postgresUnavailable();
const name = reason === undefined ? 'gateways on PostgreSQL' : `gateways on PostgreSQL (${reason})`;

describe.skipIf(reason !== undefined)(name, () => {
  let postgres: RunningPostgres;
  let gateways: TestGateway[] = [];
  const logged: string[] = [];
  const note = (fields: object, message: string): void => {
    logged.push(`${message} ${JSON.stringify(fields)}`);
  };
  const logger: Logger = { debug: note, info: note, warn: note, error: note };

  beforeAll(async () => {
    postgres = await startPostgres();
    await postgres.query("CREATE ROLE gater LOGIN SUPERUSER PASSWORD 'hunter2'");
    const url = postgres.url.replace('postgres@', 'gater:hunter2@');
    const stores = JSON.stringify({ orders: { engine: 'postgres', url } });
    gateways = await Promise.all([1, 2, 3].map(() => startTestGateway({ stores }, { logger })));
  });
  afterAll(async () => {
    await Promise.all(gateways.map((gateway) => gateway.close()));
    await postgres.stop();
  });

  test('three gateways serve one store: what one appends the others read, and feed to their subscribers', async () => {
    const [one, , third] = gateways as [TestGateway, TestGateway, TestGateway];
    await using writer = await connect(one.url);
    await using reader = await connect(third.url);
    const messages = await reader.subscribe({ channel: 'events', topic: 'orders.*.*' });
    const result = await writer.appendEvents({
      storeId: 'orders',
      streamId: 'order-1',
      expectedVersion: -1,
      events: [{ type: 'placed', data: { text: 'a\u0000b' } }],
    });
    expect(result).toMatchObject({ version: 0, position: 1 });
    const page = await reader.getEvents({ storeId: 'orders', streamId: 'order-1' });
    expect(page.events[0]?.data).toEqual({ text: 'a\u0000b' });
    for await (const { topic } of messages) {
      expect(topic).toBe('orders.order-1.placed');
      break;
    }
  });

  test('while PostgreSQL is down health says why and calls are unavailable, and both recover', async () => {
    const [gateway] = gateways as [TestGateway];
    await using client = await connect(gateway.url);
    const node = postgres.nodes[0];
    await node?.kill9();
    const health = async () => (await fetch(`${gateway.http}/health`)).json() as Promise<object>;
    await vi.waitFor(
      async () =>
        expect(await health()).toMatchObject({
          reasons: expect.arrayContaining([
            expect.objectContaining({
              component: 'store:orders',
              message: expect.stringMatching(/cannot reach the primary of PostgreSQL: 127.*ECONNREFUSED/),
            }),
          ]),
        }),
      { timeout: 10_000 },
    );
    const call = client.getVersion({ storeId: 'orders', streamId: 'order-1' }, { timeoutMs: 3_000 });
    await expect(call).rejects.toMatchObject({ retriable: true });
    await node?.start();
    const again = () =>
      client.appendEvents({ storeId: 'orders', streamId: 'order-1', events: [{ type: 'paid', data: 1 }] });
    await vi.waitFor(async () => expect(await again()).toMatchObject({ duplicate: false }), {
      timeout: 20_000,
      interval: 200,
    });
    await vi.waitFor(async () => expect(await health()).toMatchObject({ status: 'healthy' }), {
      timeout: 10_000,
    });
  });

  test('the password of the connection string is in no line of the log', () => {
    expect(logged.length).toBeGreaterThan(0);
    expect(logged.filter((line) => line.includes('hunter2'))).toEqual([]);
  });
});
