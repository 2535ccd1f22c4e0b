import { connect } from '@esdb-gater/client';
import type { Logger } from '@esdb-gater/types';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { freePorts } from '../../../tools/kafka/index.ts';
import { postgresUnavailable, type RunningPostgres, startPostgres } from '../../../tools/postgres/index.ts';
import { startTestGateway, type TestGateway } from './support/in-process.ts';

const reason = postgresUnavailable();
const name = reason === undefined ? 'gateways on PostgreSQL' : `gateways on PostgreSQL (${reason})`;
const WAIT = { timeout: 20_000, interval: 50 };

describe.skipIf(reason !== undefined)(name, () => {
  let postgres: RunningPostgres;
  let gateways: TestGateway[] = [];
  const logged: string[] = [];
  const note = (fields: object, message: string): void => {
    logged.push(`${message} ${JSON.stringify(fields)}`);
  };
  const logger: Logger = { debug: note, info: note, warn: note, error: note };

  const json = async (gateway: TestGateway, path: string): Promise<object> =>
    (await fetch(`${gateway.http}${path}`)).json() as Promise<object>;

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

  test('a gateway that starts before PostgreSQL says why it is not ready, in the log too, and serves once it is there', async () => {
    const [port = 0] = await freePorts(1);
    const url = `postgres://postgres@127.0.0.1:${port}/postgres`;
    const stores = JSON.stringify({ late: { engine: 'postgres', url }, here: { engine: 'memory' } });
    await using gateway = await startTestGateway({ stores }, { logger });
    const reason = expect.stringMatching(
      new RegExp(`cannot reach the primary of PostgreSQL: 127.0.0.1:${port}: .*ECONNREFUSED`),
    );
    expect(await json(gateway, '/readyz')).toMatchObject({
      dependencies: { 'store:late': reason, 'store:here': 'ok' },
    });
    expect(await json(gateway, '/health')).toMatchObject({
      status: 'degraded',
      reasons: expect.arrayContaining([
        expect.objectContaining({ component: 'store:late', code: 'unavailable', message: reason }),
      ]),
      stores: { here: { status: 'healthy' } },
    });
    expect(logged).toContainEqual(
      expect.stringMatching(/^starting without the database of the store .*late/),
    );
    await using client = await connect(gateway.url);
    const messages = await client.subscribe({ channel: 'events', topic: 'late.*.*' });
    const event = { storeId: 'late', streamId: 's', events: [{ type: 't', data: 1 }] };
    await expect(client.appendEvents(event, { timeoutMs: 1_000 })).rejects.toMatchObject({ retriable: true });

    const late = await startPostgres({ port });
    try {
      await vi.waitFor(
        async () => expect(await json(gateway, '/readyz')).toMatchObject({ status: 'ready' }),
        WAIT,
      );
      expect(await json(gateway, '/health')).toMatchObject({ status: 'healthy' });
      expect(await client.appendEvents(event)).toMatchObject({ position: 1 });
      for await (const { topic } of messages) {
        expect(topic).toBe('late.s.t');
        break;
      }
      expect(logged).toContainEqual(expect.stringMatching(/^the database of the store was reached .*late/));
    } finally {
      await late.stop();
    }
  }, 60_000);

  test.each([
    ['a database that does not exist', '/nowhere', /database does not exist/],
    ['a role that does not exist', '/postgres', /role "nobody" does not exist|refuses this user/],
  ])(
    'a gateway whose connection string names %s starts, and health says so',
    async (_, database, message) => {
      const user = database === '/postgres' ? 'nobody' : 'postgres';
      const url = postgres.url.replace('postgres@', `${user}@`).replace(/\/postgres$/, database);
      const stores = JSON.stringify({ wrong: { engine: 'postgres', url } });
      await using gateway = await startTestGateway({ stores }, { logger });
      expect(await json(gateway, '/health')).toMatchObject({
        status: 'unhealthy',
        reasons: expect.arrayContaining([
          expect.objectContaining({ component: 'store:wrong', message: expect.stringMatching(message) }),
        ]),
      });
      expect(await json(gateway, '/readyz')).toMatchObject({ status: 'not_ready' });
    },
  );

  test('the password of the connection string is in no line of the log', () => {
    expect(logged.length).toBeGreaterThan(0);
    expect(logged.filter((line) => line.includes('hunter2'))).toEqual([]);
  });
});
