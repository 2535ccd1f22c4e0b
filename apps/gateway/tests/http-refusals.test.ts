// Refusals on the level of HTTP, on raw sockets where a client library would not send the request.
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestGateway, type TestGateway } from './support/in-process.ts';
import { openSocket } from './support/raw-socket.ts';

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startTestGateway(
    { stores: '{"default":{"engine":"memory"}}' },
    { bounds: { headersTimeoutMs: 200, requestTimeoutMs: 400, checkEveryMs: 50 } },
  );
});
afterAll(() => gateway.close());

/** Sends `request` as it is, and returns the status, the headers and the body of the answer. */
async function raw(request: string): Promise<{ status: number; head: string; body: unknown }> {
  const socket = await openSocket(gateway.url);
  socket.write(request);
  const answer = await text(socket);
  const [head = '', body = ''] = answer.split('\r\n\r\n', 2);
  return { status: Number(head.slice(9, 12)), head: head.toLowerCase(), body: JSON.parse(body || 'null') };
}

const GET = 'GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n';

describe('is application/problem+json', () => {
  test.each([
    [400, 'bytes that are not HTTP', 'nonsense\r\n\r\n'],
    [400, 'a wrong content-length', `${GET}Content-Length: x\r\n\r\n`],
    [
      400,
      'an upgrade without a key',
      'GET /v1/ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\r\n',
    ],
    [
      400,
      'an upgrade of another version',
      'GET /v1/ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 7\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n',
    ],
    [408, 'a request that stops', 'GET /livez HTTP/1.1\r\nHost: loc'],
    [431, 'headers of more than 32 KiB', `${GET}X-A: ${'x'.repeat(40_000)}\r\n\r\n`],
    [
      426,
      'a request to the WebSocket path without an upgrade',
      'GET /v1/ws HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n',
    ],
    [
      426,
      'another upgrade',
      'GET /v1/ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade, close\r\nUpgrade: h2c\r\n\r\n',
    ],
  ])('%i for %s [R31]', async (status, _name, request) => {
    const answer = await raw(request);
    expect(answer).toMatchObject({ status, body: { status, title: expect.any(String) as string } });
    expect(answer.head).toContain('content-type: application/problem+json');
  });
});

test('426 explains what to do, for people and programs [R31]', async () => {
  const { status, headers, body } = await get('/v1/ws');
  expect([status, headers.get('upgrade')]).toEqual([426, 'websocket']);
  expect(body).toMatchObject({ detail: expect.stringMatching(/proxy.*Upgrade and Connection/) as string });
  expect((await fetch(`${gateway.http}/v1/ws`, { method: 'POST' })).status).toBe(405);
});

async function get(path: string, headers: Record<string, string> = {}) {
  const answer = await fetch(`${gateway.http}${path}`, { headers });
  return { status: answer.status, headers: answer.headers, body: (await answer.json()) as unknown };
}

test('a preflight allows only the attributes of CloudEvents that it requests [R31]', async () => {
  const answer = await fetch(`${gateway.http}/v1/stores/default/streams/a/events`, {
    method: 'OPTIONS',
    headers: {
      origin: gateway.http,
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'ce-id, CE-Source, ce-mine1, x-evil, ce-bad header, content-type',
    },
  });
  expect(answer.status).toBe(204);
  expect(answer.headers.get('access-control-allow-headers')).toBe(
    'authorization, content-type, last-event-id, traceparent, tracestate, ce-id, ce-source, ce-mine1',
  );
});

test('probes may have a query, under any host name [R31]', async () => {
  for (const path of ['/livez?verbose', '/readyz?verbose', '/livez?']) {
    const request = `GET ${path} HTTP/1.1\r\nHost: 10.0.0.7:4590\r\nConnection: close\r\n\r\n`;
    expect(await raw(request)).toMatchObject({ status: 200 });
  }
});

test('429 and 503 have a Retry-After header [R31]', async () => {
  await using limited = await startTestGateway({
    stores: '{"default":{"engine":"memory"},"afar":{"engine":"remote"}}',
    'channels-system-max-rate': '1',
    'retry-max-attempts': '1',
  });
  const publish = () =>
    fetch(`${limited.http}/v1/channels/system/messages`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"topic":"a","message":1}',
    });
  await publish();
  const limit = await publish();
  expect(limit.status).toBe(429);
  // The window is strict by up to 10 ms, which makes two whole seconds of 1 001 ms.
  expect([1, 2]).toContain(Number(limit.headers.get('retry-after')));
  const unserved = await fetch(`${limited.http}/v1/stores/afar/streams/a`);
  expect([unserved.status, Number(unserved.headers.get('retry-after'))]).toEqual([503, 1]);
});
