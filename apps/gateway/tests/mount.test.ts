import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { gatewaySuite } from '@esdb-gater/conformance';
import { silentLogger } from '@esdb-gater/types';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { loadConfig } from '../src/config/load-config.ts';
import { type MountedGateway, type MountOptions, mountGateway } from '../src/mount/mount-gateway.ts';
import { startTestGateway } from './support/in-process.ts';
import { rawConnect } from './support/raw-client.ts';

interface Mounted {
  readonly gateway: MountedGateway;
  readonly server: Server;
  readonly http: string;
  close(): Promise<void>;
}

/** A server of the program that answers everything that the gateway leaves to it with 418. */
async function mounted(
  dataDir: string,
  options: MountOptions,
  flags: Readonly<Record<string, string | boolean>> = {},
  host = '127.0.0.1',
): Promise<Mounted> {
  const config = loadConfig({ flags: { 'data-dir': dataDir, ...flags } });
  const gateway = await mountGateway(config, options, { logger: silentLogger });
  const server = createServer((request, response) => {
    if (!gateway.handle(request, response)) response.writeHead(418).end(request.url);
  });
  gateway.attach(server);
  server.listen(0, host);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    gateway,
    server,
    http: `http://${host}:${port}`,
    async close() {
      await gateway.close();
      server.closeAllConnections();
      server.close();
    },
  };
}

let dataDir: string;
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'esdb-gater-mount-'));
});
afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

describe('a mounted gateway keeps the promises of PROTOCOL.md', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'esdb-gater-mount-'));
  // The cases are made before the hooks run, and need the URL.
  const app = await mounted(folder, { prefix: '/gater' });
  beforeAll(() => expect(app.gateway.url).toContain('/v1/ws'));
  afterAll(async () => {
    await app.close();
    rmSync(folder, { recursive: true, force: true });
  });
  for (const { title, run } of gatewaySuite(app.gateway.url)) test(title, run);
});

describe('below a prefix', () => {
  let app: Mounted;
  beforeEach(async () => {
    app = await mounted(dataDir, { prefix: '/gater/' });
  });
  afterEach(() => app.close());

  test('only paths below it are for the gateway', async () => {
    const bodies = async (path: string) => (await fetch(`${app.http}${path}`)).text();
    expect(await bodies('/livez')).toBe('/livez');
    expect(await bodies('/gaters/livez')).toBe('/gaters/livez');
    expect(JSON.parse(await bodies('/gater/livez?x=1'))).toEqual({ status: 'alive' });
  });

  test('the dashboard and the descriptions are found', async () => {
    const redirect = await fetch(`${app.http}/gater?a=b`, { redirect: 'manual' });
    expect([redirect.status, redirect.headers.get('location')]).toEqual([308, './gater/?a=b']);
    const openApi = await (await fetch(`${app.http}/gater/openapi.json`)).json();
    expect(openApi).toMatchObject({ servers: [{ url: '/gater' }] });
    const asyncApi = await (await fetch(`${app.http}/gater/asyncapi.json`)).json();
    expect(asyncApi).toMatchObject({ servers: { gateway: { pathname: '/gater/v1/ws' } } });
    const page = await (await fetch(`${app.http}/gater/docs`)).text();
    const links = [...page.matchAll(/href="(?!#)([^"]+)"/g)].map(([, path = '']) => path);
    expect(links).toEqual(['/gater/docs/style.css', '/gater/openapi.json', '/gater/asyncapi.json']);
    for (const path of links) expect((await fetch(new URL(path, app.http))).status, path).toBe(200);
  });

  test('upgrades elsewhere are refused, or left to other listeners', async () => {
    const elsewhere = app.gateway.url.replace('/gater', '');
    await expect(rawConnect(elsewhere)).rejects.toThrow('404');
    app.server.on('upgrade', (request, socket) => {
      if (request.url === '/v1/ws') socket.end('HTTP/1.1 409 Conflict\r\n\r\n');
    });
    await expect(rawConnect(elsewhere)).rejects.toThrow('409');
    const client = await rawConnect(app.gateway.url);
    expect((await client.call('channelInfo')).error).toBeUndefined();
    await client.close();
  });

  test('pages of the server itself may use the gateway, others may not', async () => {
    const from = (origin: string) => rawConnect(app.gateway.url, { headers: { origin } });
    await (await from(app.http)).close();
    await expect(from('https://evil.example')).rejects.toThrow('403');
  });

  test('a body that was read before is an error that says so, instead of a request that hangs', async () => {
    const parsing = createServer(async (request, response) => {
      await text(request);
      app.gateway.handle(request, response);
    });
    await once(parsing.listen(0, '127.0.0.1'), 'listening');
    const { port } = parsing.address() as AddressInfo;
    const answer = await fetch(`http://127.0.0.1:${port}/gater/v1/channels/events/messages`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"topic":"a","message":1}',
    });
    parsing.close();
    expect(answer.status).toBe(500);
    expect(await answer.text()).toContain('mount the gateway before body parsers');
  });
});

describe('at the root', () => {
  test('paths that are not of the gateway stay with the server, and so does the page when asked for', async () => {
    const app = await mounted(dataDir, { dashboard: false });
    const status = async (path: string) => (await fetch(`${app.http}${path}`)).status;
    expect(await status('/orders')).toBe(418);
    expect(await status('/')).toBe(418);
    expect(await status('/livez')).toBe(200);
    expect(await status('/v1/nothing')).toBe(404);
    await app.close();
  });
});

describe('limits, tokens and the graceful stop are those of a gateway with its own port', () => {
  test('connections beyond limits.connections are closed with 4429', async () => {
    const app = await mounted(dataDir, {}, { 'limits-connections': '1' });
    const first = await rawConnect(app.gateway.url);
    const second = new WebSocket(app.gateway.url);
    const [closed] = (await once(second, 'close')) as [CloseEvent];
    expect(closed.code).toBe(4429);
    await first.close();
    await app.close();
  });

  test('without a required token, HTTP is 401, and a WebSocket closes with 4408', async () => {
    const app = await mounted(
      dataDir,
      {},
      { 'security-capabilities': 'required', 'limits-authenticate-ms': '50' },
    );
    expect((await fetch(`${app.http}/v1/channels`)).status).toBe(401);
    const client = await rawConnect(app.gateway.url);
    expect((await client.closed).code).toBe(4408);
    await app.close();
  });

  const outside = Object.values(networkInterfaces())
    .flat()
    .find((address) => address?.internal === false && address.family === 'IPv4')?.address;
  test.skipIf(outside === undefined)('beyond loopback only probes are served without tokens', async () => {
    const app = await mounted(dataDir, {}, {}, outside);
    expect((await fetch(`${app.http}/livez`)).status).toBe(200);
    const refused = await fetch(`${app.http}/v1/channels`);
    expect(refused.status).toBe(403);
    expect(await refused.text()).toContain('security.capabilities');
    await expect(rawConnect(app.gateway.url)).rejects.toThrow('403');
    await app.close();
  });

  test('work in flight ends, sockets close with 1001, and what comes later is 503', async () => {
    const app = await mounted(dataDir, {}, { stores: '{"afar":{"engine":"remote"}}' });
    const worker = await rawConnect(app.gateway.url);
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    const { promise: asked, resolve: ask } = Promise.withResolvers<void>();
    worker.serve(async ({ method }) => {
      if (method === 'streamExists') return { exists: true };
      if (method !== 'getVersion') return { events: [], lastPosition: 0 };
      ask();
      await released;
      return { version: 7 };
    });
    await worker.call('registerWorker', { storeId: 'afar' });
    const slow = fetch(`${app.http}/v1/stores/afar/streams/a`);
    await asked;
    const stopped = app.gateway.close();
    expect((await fetch(`${app.http}/readyz`)).status).toBe(503);
    release();
    expect(await (await slow).json()).toMatchObject({ version: 7 });
    await stopped;
    expect((await worker.closed).code).toBe(1001);
    expect((await fetch(`${app.http}/livez`)).status).toBe(503);
    await expect(rawConnect(app.gateway.url)).rejects.toThrow('503');
    expect((await fetch(`${app.http}/other`)).status).toBe(418);
    await app.close();
  });
});

test.each(['gater', '/a b', '/a/../b', '/%2f'])('the prefix %s is refused', async (prefix) => {
  const config = loadConfig({ flags: { 'data-dir': dataDir } });
  await expect(mountGateway(config, { prefix })).rejects.toMatchObject({ code: 'invalid_argument' });
});

test('the gateway of startGateway has a gater on its stores, channels and subscriptions', async () => {
  const gateway = await startTestGateway({}, { dataDir });
  const { gater } = gateway;
  const client = await rawConnect(gateway.url);
  const events = [{ type: 'created', data: 1 }];
  await client.call('appendEvents', { storeId: 'default', streamId: 'a', events });
  expect(await gater.getVersion({ streamId: 'a' })).toEqual({ version: 0 });
  const subscription = await gater.saveSubscription({ name: 'all', type: 'stream', selector: '$all' });
  for await (const { event, ack } of subscription) {
    expect(event.streamId).toBe('a');
    await ack();
    break;
  }
  const { result } = await client.call('getSubscriptions', { storeId: 'default' });
  expect(result).toMatchObject({ subscriptions: [{ name: 'all', checkpoint: 1 }] });
  const live = await gater.subscribe({ channel: 'events', topic: 'default.b.*' });
  await gater.appendEvents({ streamId: 'b', events });
  for await (const { message } of live) {
    expect(message).toMatchObject({ streamId: 'b', version: 0 });
    break;
  }
  expect((await client.call('getVersion', { storeId: 'default', streamId: 'b' })).result).toEqual({
    version: 0,
  });
  await gateway.close();
  await expect(gater.getVersion({ streamId: 'a' })).rejects.toMatchObject({ code: 'unavailable' });
});
