import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test, vi } from 'vitest';
import { expositionFaults } from './support/exposition.ts';
import { startTestGateway, type TestGateway } from './support/in-process.ts';
import { rawConnect } from './support/raw-client.ts';
import { openSocket } from './support/raw-socket.ts';
import { rawHttp } from './threats/support.ts';

const MEMORY = { stores: '{"default":{"engine":"memory"}}' };
const REQUIRED = { ...MEMORY, 'security-capabilities': 'required', 'metrics-port': '0' };

function metricsUrlOf({ metricsUrl }: TestGateway): string {
  if (metricsUrl === undefined) throw new Error('the gateway has no second listener');
  return metricsUrl;
}

test('metrics and health need no token on the second port, while the main one requires it', async () => {
  await using gateway = await startTestGateway(REQUIRED);
  const second = metricsUrlOf(gateway);
  expect(new URL(second).port).not.toBe(String(gateway.port));
  for (const path of ['/metrics', '/health']) {
    expect((await rawHttp(gateway.http, 'GET', path)).status, path).toBe(401);
  }
  for (const path of ['/metrics', '/health', '/livez', '/readyz']) {
    expect((await rawHttp(second, 'GET', path)).status, path).toBe(200);
  }
  expect(expositionFaults((await rawHttp(second, 'GET', '/metrics')).text)).toEqual([]);
  expect(JSON.parse((await rawHttp(second, 'GET', '/health')).text)).toMatchObject({
    status: 'healthy',
    stores: { default: { status: 'healthy' } },
  });
});

test('the second port serves nothing else, and no WebSocket', async () => {
  await using gateway = await startTestGateway(REQUIRED);
  const second = metricsUrlOf(gateway);
  for (const path of ['/', '/v1/ws', '/v1/channels', '/v1/stores/default/streams', '/openapi.json']) {
    expect((await rawHttp(second, 'GET', path)).status, path).toBe(404);
  }
  expect((await rawHttp(second, 'POST', '/metrics', { body: {} })).status).toBe(405);
  await expect(rawConnect(`${second.replace('http', 'ws')}/v1/ws`)).rejects.toThrow();
});

test('there is no second port by default', async () => {
  await using gateway = await startTestGateway(MEMORY);
  expect(gateway.metricsUrl).toBeUndefined();
});

test('pages cannot read the second port: a foreign Host or Origin is refused on loopback [T36]', async () => {
  await using gateway = await startTestGateway(REQUIRED);
  const second = metricsUrlOf(gateway);
  const { port } = new URL(second);
  const statusOf = async (lines: readonly string[]): Promise<string> => {
    const socket = await openSocket(second);
    socket.write(`${['GET /metrics HTTP/1.1', ...lines].join('\r\n')}\r\n\r\n`);
    const [chunk] = (await once(socket, 'data')) as [Buffer];
    socket.destroy();
    return chunk.toString('latin1').slice(9, 12);
  };
  expect(await statusOf([`Host: 127.0.0.1:${port}`])).toBe('200');
  expect(await statusOf([`Host: rebound.example:${port}`])).toBe('403');
  expect(await statusOf([`Host: 127.0.0.1:${port}`, 'Origin: https://evil.example'])).toBe('403');
});

test('beyond loopback a scraper may use any name, and a page of another origin is refused', async () => {
  await using gateway = await startTestGateway({ ...REQUIRED, 'metrics-host': '0.0.0.0' });
  const { port } = new URL(metricsUrlOf(gateway));
  const url = `http://127.0.0.1:${port}/metrics`;
  const scraped = await new Promise<number>((resolve, reject) => {
    void openSocket(url).then((socket) => {
      socket.write(`GET /metrics HTTP/1.1\r\nHost: gateway:${port}\r\nConnection: close\r\n\r\n`);
      socket.once('data', (chunk: Buffer) => resolve(Number(chunk.toString('latin1').slice(9, 12))));
      socket.once('error', reject);
    }, reject);
  });
  expect(scraped).toBe(200);
  expect((await fetch(url, { headers: { origin: 'https://evil.example' } })).status).toBe(403);
});

test('an address in use stops the start, names metrics.port, and leaves no other port open', async () => {
  const holder = createServer().listen(0, '127.0.0.1');
  await once(holder, 'listening');
  const { port } = holder.address() as AddressInfo;
  await expect(startTestGateway({ ...MEMORY, 'metrics-port': String(port) })).rejects.toThrow(
    expect.objectContaining({
      code: 'unavailable',
      message: `metrics.port: 127.0.0.1:${port} is in use`,
    }),
  );
  holder.close();
});

test('connections that do not send are closed when others need their place on the second port [R7] [T31]', async () => {
  await using gateway = await startTestGateway(
    { ...REQUIRED, 'limits-connections': '5' },
    { bounds: { spareSockets: 5 } },
  );
  const second = metricsUrlOf(gateway);
  const idle = await Promise.all(Array.from({ length: 30 }, () => openSocket(second)));
  for (let n = 0; n < 10; n++) expect((await rawHttp(second, 'GET', '/livez')).status).toBe(200);
  await vi.waitFor(() => expect(idle.filter((socket) => socket.closed).length).toBeGreaterThanOrEqual(20));
  for (const socket of idle) socket.destroy();
});

test('while the gateway stops, the second port answers that it is not ready, and closes after the main one', async () => {
  const gateway = await startTestGateway({
    'metrics-port': '0',
    stores: '{"afar":{"engine":"remote"}}',
  });
  const second = metricsUrlOf(gateway);
  const worker = await rawConnect(gateway.url);
  const released = Promise.withResolvers<void>();
  const asked = Promise.withResolvers<void>();
  worker.serve(async ({ method }) => {
    if (method !== 'getVersion') return { events: [], lastPosition: 0 };
    asked.resolve();
    await released.promise;
    return { version: 7 };
  });
  await worker.call('registerWorker', { storeId: 'afar' });
  const client = await rawConnect(gateway.url);
  const slow = client.call('getVersion', { storeId: 'afar', streamId: 'a' });
  await asked.promise;
  const stopped = gateway.close();
  const ready = await rawHttp(second, 'GET', '/readyz');
  expect(ready.status).toBe(503);
  expect(JSON.parse(ready.text)).toMatchObject({ dependencies: { gateway: 'stopping' } });
  expect((await rawHttp(second, 'GET', '/livez')).status).toBe(200);
  expect((await rawHttp(second, 'GET', '/metrics')).status).toBe(200);
  released.resolve();
  expect((await slow).result).toEqual({ version: 7 });
  await stopped;
  await expect(rawHttp(second, 'GET', '/livez')).rejects.toThrow('ECONNREFUSED');
});
