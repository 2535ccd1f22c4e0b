// T31 and T32: bodies that drip or stop, idle sockets, WebSockets that answer no ping. Raw sockets, shorter bounds.
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { silentLogger } from '@esdb-gater/types';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { createInboundBudget } from '../../src/access/inbound-budget.ts';
import { loadConfig } from '../../src/config/load-config.ts';
import { CONNECTION_BOUNDS } from '../../src/http/connection-bounds.ts';
import { createHttpApp } from '../../src/http/http-app.ts';
import { startTestGateway, type TestGateway } from '../support/in-process.ts';
import { rawConnect } from '../support/raw-client.ts';
import { openSocket, openWebSocket } from '../support/raw-socket.ts';

const MEMORY = { stores: '{"default":{"engine":"memory"}}' };
const SHORT = {
  headersTimeoutMs: 200,
  requestTimeoutMs: 400,
  keepAliveTimeoutMs: 300,
  checkEveryMs: 50,
  pingEveryMs: 1_000,
  silentAfterMs: 2_000,
};
const POST =
  'POST /v1/channels/system/messages HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n';

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startTestGateway(MEMORY, { bounds: SHORT });
});
afterAll(() => gateway.close());

const timers: NodeJS.Timeout[] = [];
afterEach(() => {
  for (const timer of timers.splice(0)) clearInterval(timer);
});

/** Sends one byte every 20 ms for as long as the connection is open. */
function drip(socket: Socket, byte: string): void {
  timers.push(setInterval(() => socket.writable && socket.write(byte), 20));
}

/** Resolves with all that the gateway sends before it closes the connection, also when a write comes too late. */
function untilClosed(socket: Socket): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  let received = '';
  socket.setEncoding('utf8');
  socket.on('data', (chunk: string) => {
    received += chunk;
  });
  socket.on('error', () => {});
  socket.once('close', () => resolve(received));
  return promise;
}

describe('the running server closes a connection', () => {
  test('that does not send [R7] [T31]', async () => {
    expect(await untilClosed(await openSocket(gateway.url))).toMatch(/^HTTP\/1\.1 408 /);
  });

  test('whose headers drip [R7] [T31]', async () => {
    const socket = await openSocket(gateway.url);
    socket.write('GET /livez HTTP/1.1\r\nHost: localhost\r\nX-A: ');
    drip(socket, 'x');
    expect(await untilClosed(socket)).toMatch(/^HTTP\/1\.1 408 .*application\/problem\+json.*"status":408/s);
  });

  test.each(['Content-Length: 1000', 'Transfer-Encoding: chunked'])(
    'whose body drips, with %s [R7] [T31]',
    async (header) => {
      const socket = await openSocket(gateway.url);
      socket.write(`${POST}${header}\r\n\r\n`);
      drip(socket, header.startsWith('T') ? '1\r\n{\r\n' : ' ');
      expect(await untilClosed(socket)).toMatch(/^HTTP\/1\.1 408 /);
    },
  );

  test.each(['Content-Length: 1000', 'Transfer-Encoding: chunked'])(
    'whose body stops, with %s [R7] [T31]',
    async (header) => {
      const socket = await openSocket(gateway.url);
      socket.write(`${POST}${header}\r\n\r\n`);
      expect(await untilClosed(socket)).toMatch(/^HTTP\/1\.1 408 /);
    },
  );

  test('that stays open without a request [R7] [T31]', async () => {
    const socket = await openSocket(gateway.url);
    socket.write('GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n');
    expect(await untilClosed(socket)).toMatch(/^HTTP\/1\.1 200 .*keep-alive/is);
  });

  test('of a WebSocket that answers no ping, also while messages are delivered to it [R7] [T32]', async () => {
    const silent = await openWebSocket(gateway.url);
    silent.resume();
    const subscribed = await rawConnect(gateway.url, { autoPong: false });
    await subscribed.call('subscribe', { channel: 'system', topic: 'a' });
    const alive = await rawConnect(gateway.url);
    timers.push(
      setInterval(
        () =>
          void alive.call('publish', { channel: 'system', topic: 'a', message: 1 }).catch(() => undefined),
        100,
      ),
    );
    await Promise.all([once(silent, 'close'), subscribed.closed]);
    expect(alive.socket.readyState).toBe(alive.socket.OPEN);
    await alive.close();
  });
});

test('connections that do not send are closed when others need their place [R7] [T31]', async () => {
  await using small = await startTestGateway(
    { ...MEMORY, 'limits-connections': '10' },
    { bounds: { spareSockets: 20 } },
  );
  const idle = await Promise.all(Array.from({ length: 60 }, () => openSocket(small.url)));
  for (let n = 0; n < 10; n++) expect((await fetch(`${small.http}/livez`)).status).toBe(200);
  const client = await rawConnect(small.url);
  expect((await client.call('health')).error).toBeUndefined();
  await vi.waitFor(() => expect(idle.filter((socket) => socket.closed).length).toBeGreaterThanOrEqual(30));
  await client.close();
  for (const socket of idle) socket.destroy();
});

test('the running server has the configured limits, and keeps connections open longer than load balancers do [R7]', async () => {
  const app = createHttpApp(
    loadConfig({ flags: MEMORY }),
    silentLogger,
    CONNECTION_BOUNDS,
    createInboundBudget(1),
  );
  expect(app.server).toMatchObject({
    headersTimeout: 10_000,
    requestTimeout: 60_000,
    keepAliveTimeout: 75_000,
    timeout: 75_000,
  });
  expect(CONNECTION_BOUNDS).toMatchObject({ pingEveryMs: 25_000, silentAfterMs: 60_000 });
  await app.close();
});
