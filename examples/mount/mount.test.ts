import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect as connectSocket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from '@esdb-gater/client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import * as express from './express.ts';
import * as fastify from './fastify.ts';
import * as hono from './hono.ts';

describe.each([
  ['Fastify', fastify.startApp],
  ['Express', express.startApp],
  ['Hono', hono.startApp],
])('mounted into %s', (_, startApp) => {
  let dataDir: string;
  let app: Awaited<ReturnType<typeof startApp>>;
  let http: string;
  const post = (path: string, body: object) =>
    fetch(`${http}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });

  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'esdb-gater-mount-'));
    app = await startApp({ port: 0, dataDir });
    http = app.gateway.url.replace('ws://', 'http://').replace('/gater/v1/ws', '');
  });
  afterAll(async () => {
    await app.close();
    await rm(dataDir, { recursive: true });
  });

  test('HTTP: what a route of the application wrote is read below the prefix, and the other way round', async () => {
    expect((await post('/orders/1', { total: 3 })).status).toBe(201);
    const page = await fetch(`${http}/gater/v1/stores/default/streams/order-1/events`);
    expect(await page.json()).toMatchObject({ events: [{ type: 'order_placed', data: { total: 3 } }] });
    const written = await post('/gater/v1/stores/default/streams/order-2/events', {
      events: [{ type: 'order_placed', data: { text: 'x'.repeat(200_000) } }],
    });
    expect(written.status).toBe(201);
    expect(await app.gateway.gater.getVersion({ streamId: 'order-2' })).toEqual({ version: 0 });
  });

  test('errors are those of the gateway below the prefix, and those of the framework elsewhere', async () => {
    const inside = await fetch(`${http}/gater/v1/nothing`);
    expect(inside.status).toBe(404);
    expect(inside.headers.get('content-type')).toContain('application/problem+json');
    const outside = await fetch(`${http}/v1/channels`);
    expect(outside.status).toBe(404);
    expect(outside.headers.get('content-type')).not.toContain('application/problem+json');
    const refused = await fetch(`${http}/gater/livez`, { method: 'PATCH', body: 'x' });
    expect([refused.status, refused.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
  });

  test('WebSocket: a client appends and follows', async () => {
    await using client = await connect(app.gateway.url);
    await client.appendEvents({
      storeId: 'default',
      streamId: 'order-3',
      events: [{ type: 'order_placed', data: {} }],
    });
    for await (const { type } of client.follow({ storeId: 'default', streamId: 'order-3' })) {
      expect(type).toBe('order_placed');
      break;
    }
  });

  test('server-sent events: a stream begins, and shows what a route of the application wrote', async () => {
    const url = `${http}/gater/v1/channels/events/messages?topic=default.order-4.*`;
    const response = await fetch(url, { signal: AbortSignal.timeout(20_000) });
    let text = '';
    for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      text += chunk;
      if (text.includes('event: subscribed') && !text.includes('event: message')) {
        await post('/orders/4', { total: 4 });
      }
      if (text.includes('"total":4')) break;
    }
    expect(text).toContain('event: message');
  });

  test('the end of the application closes WebSockets with 1001 and ends streams', async () => {
    const own = await startApp({ port: 0, dataDir: join(dataDir, 'other') });
    const socket = new WebSocket(own.gateway.url);
    const closed = new Promise<number>((resolve) =>
      socket.addEventListener('close', ({ code }) => resolve(code)),
    );
    await new Promise((resolve) => socket.addEventListener('message', resolve, { once: true }));
    const origin = own.gateway.url.replace('ws://', 'http://').replace('/v1/ws', '');
    const stream = await fetch(`${origin}/v1/channels/events/messages?topic=a`);
    const ended = stream.text();
    await own.close();
    expect(await closed).toBe(1001);
    expect(await ended).toContain('event: subscribed');
  });

  test('a connection that has sent nothing does not hold the end of the application', async () => {
    const own = await startApp({ port: 0, dataDir: join(dataDir, 'unused') });
    const { hostname, port } = new URL(own.gateway.url);
    const unused = connectSocket(Number(port), hostname);
    const ended = once(unused, 'close');
    await once(unused, 'connect');
    // The server accepts in order, so that it knows the connection once it has answered a later one.
    await fetch(`http://${hostname}:${port}/gater/livez`).then((response) => response.text());
    await own.close();
    await ended;
  });
});
