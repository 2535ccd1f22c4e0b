import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createFakeClock } from '@esdb-gater/primitives/testing';
import type { MethodName } from '@esdb-gater/protocol';
import { GaterError } from '@esdb-gater/types';
import { afterEach, describe, expect, test } from 'vitest';
import { WebSocketServer } from 'ws';
import { PathProbe } from '../src/connection/path-probe.ts';
import { connect } from '../src/index.ts';
import { openSocket as openBrowserSocket } from '../src/socket/browser.ts';

const HELLO = {
  gatewayDid: 'd',
  nodeId: 'n',
  version: '1',
  nonce: 'x',
  capabilities: 'optional',
  methods: [],
};

const RETRY = { baseDelayMs: 1 };

const open: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of open.splice(0)) await close();
});

/** Listens on a free port, and cuts every connection at the end of the test. */
async function listen(server: Server): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {}).on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  open.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

interface MiniGateway {
  readonly url: string;
  readonly calls: { readonly method: MethodName; readonly bytes: number }[];
  /** Answers to the next upgrade requests, instead of the gateway's. */
  readonly responses: string[];
  cut(): void;
}

/** A server that says hello and answers every call with `{ version: 1 }`. */
async function startMiniGateway(
  options: { readonly maxPayload?: number; readonly limits?: object } = {},
): Promise<MiniGateway> {
  const { maxPayload = 1_000_000, limits } = options;
  const server = createHttpServer();
  const calls: MiniGateway['calls'] = [];
  const responses: string[] = [];
  const wss = new WebSocketServer({ noServer: true, maxPayload, handleProtocols: () => 'esdb-gater.v1' });
  server.on('upgrade', (request, socket, head) => {
    const response = responses.shift();
    if (response !== undefined) socket.end(response);
    else wss.handleUpgrade(request, socket as Socket, head, (ws) => wss.emit('connection', ws));
  });
  wss.on('connection', (socket) => {
    socket.on('error', () => {});
    const params = limits === undefined ? HELLO : { ...HELLO, limits };
    socket.send(JSON.stringify({ jsonrpc: '2.0', method: 'hello', params }));
    socket.on('message', (data) => {
      const { id, method } = JSON.parse(String(data)) as { id: number; method: MethodName };
      calls.push({ method, bytes: String(data).length });
      socket.send(JSON.stringify({ jsonrpc: '2.0', id, result: { version: 1 } }));
    });
  });
  return {
    url: `ws://127.0.0.1:${await listen(server)}`,
    calls,
    responses,
    cut: () => {
      for (const socket of wss.clients) socket.terminate();
    },
  };
}

const answer = (status: string, body = ''): string =>
  `HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n${body}`;

const GET_VERSION = { storeId: 's', streamId: 'a' } as const;

describe('answers of a proxy', () => {
  const ANSWERS = [
    '404 Not Found',
    '502 Bad Gateway',
    '401 Unauthorized',
    '403 Forbidden',
    '400 Bad Request',
  ];

  test('whatever a proxy answers, the client waits for the gateway, at first and later [R28] [F33]', async () => {
    const gateway = await startMiniGateway();
    gateway.responses.push(...ANSWERS.map((status) => answer(status, '{"code":"not_supported"}')));
    await using client = await connect(gateway.url, { token: 'T', retry: RETRY });
    expect(gateway.responses).toEqual([]);
    gateway.responses.push(...ANSWERS.map((status) => answer(status, '<html>')));
    gateway.cut();
    expect(await client.getVersion(GET_VERSION)).toEqual({ version: 1 });
    expect(gateway.responses).toEqual([]);
  });

  test.each(ANSWERS)('a server that always answers %s is named in the error [R28]', async (status) => {
    const gateway = await startMiniGateway();
    gateway.responses.push(...Array(1_000).fill(answer(status)));
    const connecting = connect(gateway.url, { connectTimeoutMs: 100, retry: RETRY });
    await expect(connecting).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringMatching(
        new RegExp(`cannot connect to ${gateway.url}/v1/ws .*status ${status.slice(0, 3)}`),
      ),
    });
  });
});

describe('frames that are too big', () => {
  const events = [{ type: 't', data: 'x'.repeat(5_000) }];

  test('a call whose frame closes the connection with 1009 is told so at once, and others go on [R28]', async () => {
    const gateway = await startMiniGateway({ maxPayload: 3_000 });
    await using client = await connect(gateway.url, { retry: RETRY });
    const small = Array.from({ length: 20 }, () => client.getVersion(GET_VERSION));
    const big = client.appendEvents({ ...GET_VERSION, events });
    const bigger = client.appendEvents({ ...GET_VERSION, events: [...events, ...events] });
    const refused = { status: 'rejected', reason: { code: 'payload_too_large', retriable: false } };
    expect(await Promise.allSettled([big, bigger])).toMatchObject([refused, refused]);
    expect(new Set((await Promise.all(small)).map(({ version }) => version))).toEqual(new Set([1]));
    expect(gateway.calls.filter(({ method }) => method === 'appendEvents')).toEqual([]);
  });

  test.each([
    [{ frameBytes: 3_000 }, 3_000],
    [{ frameBytes: 1_000_000, messageBytes: 2_000 }, 2_000],
  ])('with limits %j in hello nothing too big is sent [R28]', async (limits, limit) => {
    const gateway = await startMiniGateway({ limits });
    await using client = await connect(gateway.url, { retry: RETRY });
    await expect(client.appendEvents({ ...GET_VERSION, events })).rejects.toMatchObject({
      code: 'payload_too_large',
      limit,
    });
    expect(await client.getVersion(GET_VERSION)).toEqual({ version: 1 });
    expect(gateway.calls.map(({ method }) => method)).toEqual(['getVersion']);
  });
});

describe('paths that hang', () => {
  test('a first URL that hangs does not keep the client from the second [R28] [F33]', async () => {
    const hanging = `ws://127.0.0.1:${await listen(createServer())}`;
    const gateway = await startMiniGateway();
    await using client = await connect([hanging, gateway.url], { connectTimeoutMs: 900, retry: RETRY });
    expect(await client.getVersion(GET_VERSION)).toEqual({ version: 1 });
  });

  test('close does not wait for a gateway that does not answer it [R28]', async () => {
    const server = createHttpServer();
    const wss = new WebSocketServer({ noServer: true, handleProtocols: () => 'esdb-gater.v1' });
    server.on('upgrade', (request, socket, head) =>
      wss.handleUpgrade(request, socket as Socket, head, (ws) => {
        ws.send(JSON.stringify({ jsonrpc: '2.0', method: 'hello', params: HELLO }));
        // From now on it neither reads nor answers, as the other end of a dead path.
        socket.pause();
        socket.removeAllListeners('data');
      }),
    );
    const url = `ws://127.0.0.1:${await listen(server)}`;
    const client = await connect(url);
    const subscribing = client.subscribe({ channel: 'events', topic: 'a' }).catch((error: unknown) => error);
    const closing = client.close().then(() => 'closed');
    const late = new Promise((resolve) => setTimeout(resolve, 10_000, 'late').unref());
    expect(await Promise.race([closing, late])).toBe('closed');
    expect(await subscribing).toMatchObject({ code: 'unavailable' });
  }, 15_000);

  test('close does not wait for a token that never comes [R28]', async () => {
    const gateway = await startMiniGateway();
    let asked = 0;
    const token = () => (++asked === 1 ? 'T' : new Promise<string>(() => {}));
    const client = await connect(gateway.url, { token, retry: RETRY });
    gateway.cut();
    while (asked < 2) await new Promise((resolve) => setImmediate(resolve));
    await client.close();
  });

  test('a connection without pings is probed after 25 s of silence, and given up without an answer [R28]', async () => {
    const clock = createFakeClock();
    let heardAt = 0;
    let asked = 0;
    let dead = 0;
    let works = true;
    const probe = new PathProbe({
      clock,
      heardAt: () => heardAt,
      ask: async () => {
        asked++;
        if (!works) return new Promise(() => {});
        heardAt = clock.monotonic();
        throw new GaterError('unauthorized', 'an answer, too');
      },
      onDead: () => void dead++,
    });
    await clock.pass(20_000);
    heardAt = clock.monotonic();
    await clock.pass(24_999);
    expect([asked, dead]).toEqual([0, 0]);
    await clock.pass(1);
    expect([asked, dead]).toEqual([1, 0]);
    works = false;
    await clock.pass(25_000);
    expect([asked, dead]).toEqual([2, 0]);
    await clock.pass(5_000);
    expect([asked, dead, clock.timers]).toEqual([2, 1, 0]);
    probe.stop();
  });

  test('the WebSocket of browsers is given up at once when a probe is not answered [R28] [F33]', async () => {
    const gateway = await startMiniGateway();
    const { hostname, port } = new URL(gateway.url);
    const frozen: Socket[] = [];
    const { connect: connectTcp } = await import('node:net');
    const proxy = createServer((socket) => {
      const upstream = connectTcp(Number(port), hostname);
      frozen.push(socket, upstream);
      socket.pipe(upstream).on('error', () => {});
      upstream.pipe(socket).on('error', () => {});
    });
    const url = `ws://127.0.0.1:${await listen(proxy)}`;
    const clock = createFakeClock();
    const components = { openSocket: openBrowserSocket, clock };
    const client = await connect(url, { retry: { baseDelayMs: 0 } }, components);
    for (const socket of frozen.splice(0)) socket.unpipe().pause();
    await clock.pass(30_000);
    while (frozen.length === 0) {
      await new Promise((resolve) => setImmediate(resolve));
      await clock.pass(1);
    }
    expect(await client.getVersion(GET_VERSION)).toEqual({ version: 1 });
    await client.close();
  });
});

describe('causes', () => {
  /** A key and a self-signed certificate. */
  function makeCertificate(): { readonly key: Buffer; readonly cert: Buffer } {
    const folder = mkdtempSync(join(tmpdir(), 'esdb-gater-client-tls-'));
    const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
    const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'];
    const subject = ['-subj', '/CN=localhost', '-days', '1'];
    const args = ['req', '-x509', '-nodes', ...curve, '-keyout', key, '-out', cert, ...subject];
    execFileSync('openssl', args, { stdio: 'ignore' });
    const pair = { key: readFileSync(key), cert: readFileSync(cert) };
    rmSync(folder, { recursive: true });
    return pair;
  }

  /** Fails the test when the client waits instead of giving up: there is no limit but that of the test. */
  const PATIENT = { connectTimeoutMs: 1_000_000, retry: { baseDelayMs: 100_000, maxDelayMs: 1_000_000 } };

  test('a self-signed certificate is named, and not waited for [R28]', async () => {
    const port = await listen(createHttpsServer(makeCertificate()));
    await expect(connect(`wss://127.0.0.1:${port}`, PATIENT)).rejects.toMatchObject({
      code: 'unavailable',
      reason: 'certificate',
      message: expect.stringMatching(/^cannot connect to wss:.*: self-signed certificate \(/),
    });
  });

  test('TLS against a plain port is named, and not waited for [R28]', async () => {
    const { url } = await startMiniGateway();
    await expect(connect(url.replace('ws:', 'wss:'), PATIENT)).rejects.toMatchObject({
      reason: 'not_tls',
      message: expect.stringContaining('use ws:// instead of wss://'),
    });
  });

  test('a server that does not speak HTTP is named, and not waited for [R28]', async () => {
    const port = await listen(createServer((socket) => socket.end('+OK POP3 ready\r\n')));
    await expect(connect(`ws://127.0.0.1:${port}`, PATIENT)).rejects.toMatchObject({ reason: 'not_http' });
  });

  test.each([
    [
      'a plain connection to a TLS port',
      async () => await listen(createHttpsServer(makeCertificate())),
      'use wss://',
    ],
    ['a port where nobody listens', async () => 1, 'connection refused'],
  ])('the error names %s [R28]', async (_, port, words) => {
    const connecting = connect(`ws://127.0.0.1:${await port()}`, { connectTimeoutMs: 100, retry: RETRY });
    await expect(connecting).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining(words),
    });
  });

  test('what never heals at first is waited for once the gateway has been reached [R28]', async () => {
    const gateway = await startMiniGateway();
    await using client = await connect(gateway.url, { retry: RETRY });
    gateway.responses.push('+OK POP3 ready\r\n', '+OK POP3 ready\r\n');
    gateway.cut();
    expect(await client.getVersion(GET_VERSION)).toEqual({ version: 1 });
    expect(gateway.responses).toEqual([]);
  });

  test('a call without a connection says why there is none [R28]', async () => {
    const gateway = await startMiniGateway();
    await using client = await connect(gateway.url, { retry: RETRY });
    gateway.responses.push(...Array(10_000).fill(answer('502 Bad Gateway')));
    gateway.cut();
    const call = client.getVersion(GET_VERSION, { timeoutMs: 100 });
    await expect(call).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('status 502'),
    });
  });
});
