import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { retryPolicy } from '@esdb-gater/retry';
import { Identity } from '@esdb-gater/security';
import { GaterError } from '@esdb-gater/types';
import { afterEach, describe, expect, test } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import { reconnectDelay } from '../src/connection/backoff.ts';
import { type ConnectOptions, connect } from '../src/index.ts';
import { FakeGateway, turns } from './fake-gateway.ts';

const RETRY = { baseDelayMs: 0 };

function connectTo(
  gateway: FakeGateway,
  options: ConnectOptions = {},
  urls: string | string[] = 'ws://gateway',
) {
  return connect(urls, { retry: RETRY, ...options }, { openSocket: gateway.openSocket });
}

describe('tokens', () => {
  test('a token is sent with the request, or with an identity by authenticate, with a proof over the nonce', async () => {
    const gateway = new FakeGateway();
    gateway.answers.set('authenticate', () => ({}));
    const early = await connectTo(gateway, { token: 'T' });
    expect([[...gateway.connections].map(({ token }) => token), gateway.calls]).toEqual([['T'], []]);
    await early.close();
    const identity = Identity.fromSeed(new Uint8Array(32).fill(7));
    const proved = await connectTo(gateway, { token: 'T', identity });
    const message = new TextEncoder().encode(`esdb-gater-auth\0did:key:gateway\0${proved.hello.nonce}`);
    const proof = Buffer.from(identity.sign(message)).toString('base64url');
    expect(gateway.calls).toEqual([{ method: 'authenticate', params: { token: 'T', proof } }]);
    await proved.close();
  });

  test('a refused token ends connecting at once', async () => {
    const gateway = new FakeGateway();
    gateway.refusals.push(new GaterError('unauthorized', 'no', { details: { reason: 'expired' } }));
    await expect(connectTo(gateway, { token: 'T' })).rejects.toMatchObject({
      code: 'unauthorized',
      reason: 'expired',
    });
    expect(gateway.opened).toBe(1);
  });

  test('when a token has expired, a function returns the next one and the subscriptions continue', async () => {
    const gateway = new FakeGateway();
    let count = 0;
    const client = await connectTo(gateway, { token: () => `T${++count}` });
    const subscription = await client.subscribe({ channel: 'events', topic: 'a' });
    gateway.cut(4401);
    gateway.publish('events', 'a');
    for await (const { id } of subscription) {
      expect(id).toBe('m0');
      break;
    }
    expect([...gateway.connections].map(({ token }) => token)).toEqual(['T2']);
    await client.close();
  });

  test('a token that was revoked on a live connection ends subscriptions and calls with unauthorized', async () => {
    const gateway = new FakeGateway();
    const client = await connectTo(gateway, { token: 'T' });
    const subscription = await client.subscribe({ channel: 'events', topic: 'a' });
    gateway.cut(4403);
    const read = async () => {
      for await (const _ of subscription) expect.unreachable();
    };
    await expect(read()).rejects.toMatchObject({ code: 'unauthorized', reason: 'revoked' });
    await expect(client.health()).rejects.toMatchObject({ code: 'unauthorized' });
    await client.close();
  });
});

describe('connecting', () => {
  test('the next gateway is tried when one is unreachable', async () => {
    const gateway = new FakeGateway();
    const asked: string[] = [];
    const client = await connect(
      ['ws://one', 'ws://two/v1/ws'],
      { retry: RETRY },
      {
        openSocket: (url, options) => {
          asked.push(url);
          if (url.includes('one')) throw new GaterError('unavailable', 'down');
          return gateway.openSocket(url, options);
        },
      },
    );
    expect(asked).toEqual(['ws://one/v1/ws', 'ws://two/v1/ws']);
    await client.close();
  });

  test('after a gateway has stopped the next one of the list is tried', async () => {
    const gateway = new FakeGateway();
    const asked: string[] = [];
    const client = await connect(
      ['ws://one', 'ws://two'],
      { retry: RETRY },
      {
        openSocket: (url, options) => {
          asked.push(new URL(url).host);
          return gateway.openSocket(url, options);
        },
      },
    );
    gateway.cut(1001);
    for (let turn = 0; turn < 50 && asked.length < 2; turn++)
      await new Promise((resolve) => setTimeout(resolve, 2));
    expect(asked).toEqual(['one', 'two']);
    await client.close();
  });

  test('when no gateway answers in time the error is unavailable and has the cause', async () => {
    const gateway = new FakeGateway();
    gateway.refusals.push(...Array(10_000).fill(new GaterError('unavailable', 'down')));
    await expect(
      connectTo(gateway, { connectTimeoutMs: 30, retry: { baseDelayMs: 5 } }),
    ).rejects.toMatchObject({
      code: 'unavailable',
      cause: { message: 'down' },
    });
    const { opened } = gateway;
    await turns(20);
    expect(gateway.opened).toBe(opened);
  });

  test('a gateway of another protocol is not supported', async () => {
    const gateway = new FakeGateway();
    gateway.protocol = '';
    await expect(connectTo(gateway)).rejects.toMatchObject({ code: 'not_supported' });
  });

  test('a signal ends connecting and, later, the client', async () => {
    const gateway = new FakeGateway();
    const abort = new AbortController();
    const client = await connectTo(gateway, { signal: abort.signal });
    abort.abort(new Error('over'));
    await expect(client.health()).rejects.toMatchObject({ code: 'unavailable' });
    await expect(connectTo(gateway, { signal: abort.signal })).rejects.toThrow('over');
    await client.close();
  });

  test.each([
    [[], 'url'],
    ['http://a', 'url'],
    ['ws://user:secret@a', 'url'],
    ['nonsense', 'url'],
  ])('%j is refused as a list of gateways', async (urls, reason) => {
    await expect(connect(urls as string)).rejects.toMatchObject({ code: 'invalid_argument', reason });
  });

  test('a thousand clients that reconnect at once are spread [F19]', () => {
    const policy = retryPolicy();
    const delays = Array.from({ length: 1_000 }, () => reconnectDelay(0, policy, Math.random)).sort(
      (a, b) => a - b,
    );
    const busiest = Math.max(
      ...delays.map((from) => delays.filter((at) => at >= from && at < from + 40).length),
    );
    expect(delays[0]).toBeLessThan(20);
    expect(delays.at(-1)).toBeGreaterThan(300);
    expect(busiest).toBeLessThan(200);
    const late = Array.from({ length: 1_000 }, () => reconnectDelay(30, policy, Math.random));
    expect(Math.max(...late)).toBeLessThanOrEqual(30_000);
    expect(Math.min(...late)).toBeLessThan(3_000);
  });
});

describe('over a real WebSocket', () => {
  const HELLO = {
    gatewayDid: 'd',
    nodeId: 'n',
    version: '1',
    nonce: 'x',
    capabilities: 'optional',
    methods: [],
  };
  const open: (() => void)[] = [];
  afterEach(() => {
    for (const close of open.splice(0)) close();
  });

  async function listen(server: Server): Promise<string> {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    open.push(() => {
      server.closeAllConnections();
      server.close();
    });
    return `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  /** A server that says hello and answers every call with what `answer` gives. */
  async function serve(answer: (method: string, socket: WebSocket) => unknown, protocol = 'esdb-gater.v1') {
    const server = createServer();
    const headers: (string | undefined)[] = [];
    const wss = new WebSocketServer({ server, path: '/v1/ws', handleProtocols: () => protocol });
    wss.on('connection', (socket, request) => {
      headers.push(request.headers.authorization);
      socket.send(JSON.stringify({ jsonrpc: '2.0', method: 'hello', params: HELLO }));
      socket.on('message', (data) => {
        const { id, method } = JSON.parse(String(data)) as { id: number; method: string };
        socket.send(JSON.stringify({ jsonrpc: '2.0', id, result: answer(method, socket) }));
      });
    });
    return { url: await listen(server), headers, wss };
  }

  test('calls are answered, the token is in the header and never in the URL', async () => {
    const { url, headers, wss } = await serve(() => ({ status: 'healthy' }));
    const urls: (string | undefined)[] = [];
    wss.on('headers', (_, request) => urls.push(request.url));
    await using client = await connect(url, { token: 'secret' });
    expect(await client.health()).toEqual({ status: 'healthy' });
    expect([headers, urls]).toEqual([['Bearer secret'], ['/v1/ws']]);
  });

  test('a broken connection is made again', async () => {
    let calls = 0;
    const { url, headers } = await serve((_method, socket) => {
      if (++calls === 1) socket.terminate();
      return { calls };
    });
    await using client = await connect(url, { retry: { baseDelayMs: 1 } });
    expect(await client.health()).toEqual({ calls: 2 });
    expect(headers).toHaveLength(2);
  });

  test.each([
    [
      401,
      '{"type":"urn:esdb-gater:error:unauthorized","code":"unauthorized","retriable":false,"reason":"expired"}',
      { code: 'unauthorized', reason: 'expired' },
    ],
    [
      404,
      '{"type":"urn:esdb-gater:error:not_supported","code":"not_supported","detail":"WebSockets are elsewhere"}',
      { code: 'not_supported', message: 'WebSockets are elsewhere' },
    ],
  ])('a refusal by the gateway itself is final: %i (%s)', async (status, body, expected) => {
    const server = createServer();
    server.on('upgrade', (_request, socket) => {
      socket.end(
        `HTTP/1.1 ${status} No\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
      );
    });
    const url = await listen(server);
    await expect(connect(url, { token: 'T', connectTimeoutMs: 2_000 })).rejects.toMatchObject(expected);
  });

  test('an upgrade that is answered with 503 is retried', async () => {
    const server = createServer();
    let tries = 0;
    server.on('upgrade', (_request, socket) => {
      tries++;
      socket.end('HTTP/1.1 503 No\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
    });
    const url = await listen(server);
    const connecting = connect(url, { connectTimeoutMs: 100, retry: { baseDelayMs: 1 } });
    await expect(connecting).rejects.toMatchObject({ code: 'unavailable' });
    expect(tries).toBeGreaterThan(1);
  });

  test('a port where nobody listens is unavailable', async () => {
    const connecting = connect('ws://127.0.0.1:1', { connectTimeoutMs: 50, retry: { baseDelayMs: 5 } });
    await expect(connecting).rejects.toMatchObject({ code: 'unavailable' });
  });
});
