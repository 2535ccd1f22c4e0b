import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { join } from 'node:path';
import { LIMITS } from '@esdb-gater/types';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { WebSocket } from 'ws';
import { freePorts } from '../../../../tools/kafka/index.ts';
import { temporaryFolder } from '../support/gateway-process.ts';
import { startTestGateway, type TestGateway } from '../support/in-process.ts';
import { because, opsText, programUnavailable } from '../support/ops-files.ts';

const NAME = 'gateway.example';
/** Each proxy has a second upstream that nobody listens on: it must not matter. */
const WAIT = { timeout: 20_000, interval: 50 };

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

interface Proxy {
  readonly port: number;
  readonly output: () => string;
}

/** Starts a gateway as the proxy's file asks for, and the proxy in front of it. */
async function start(startProxy: (gatewayPort: number, deadPort: number) => Promise<Proxy>) {
  const gateway = await startTestGateway({
    stores: '{"default":{"engine":"memory"}}',
    'advertise-url': `wss://${NAME}/v1/ws`,
  });
  cleanUps.push(() => gateway.close());
  const [deadPort = 0] = await freePorts(1);
  return { gateway, proxy: await startProxy(gateway.port, deadPort) };
}

function tlsFiles(folder: string): { readonly cert: string; readonly key: string } {
  const [cert, key] = [join(folder, 'fullchain.pem'), join(folder, 'privkey.pem')];
  const names = ['-subj', `/CN=${NAME}`, '-addext', `subjectAltName=DNS:${NAME}`, '-days', '1'];
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'];
  execFileSync('openssl', ['req', '-x509', '-nodes', ...curve, '-keyout', key, '-out', cert, ...names], {
    stdio: 'ignore',
  });
  return { cert, key };
}

/** Runs a proxy in the foreground until the test ends; resolves when its port answers. */
async function runProxy(
  command: string,
  args: readonly string[],
  folder: string,
  port: number,
): Promise<Proxy> {
  const child = spawn(command, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (data: Buffer) => {
      output = `${output}${data.toString()}`.slice(-20_000);
    });
  }
  cleanUps.push(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exit = once(child, 'exit');
    child.kill('SIGTERM');
    await exit;
  });
  const proxy = { port, output: () => output };
  await vi.waitFor(async () => {
    expect(child.exitCode, output).toBeNull();
    expect((await ask(proxy, '/livez')).status, output).toBe(200);
  }, WAIT);
  return proxy;
}

async function startNginx(gatewayPort: number, deadPort: number): Promise<Proxy> {
  const folder = temporaryFolder();
  cleanUps.push(folder.remove);
  // The workers of nginx have a user of their own.
  chmodSync(folder.path, 0o755);
  const [port = 0, plainPort = 0] = await freePorts(2);
  const { cert, key } = tlsFiles(folder.path);
  const conf = opsText('nginx', 'esdb-gater.conf')
    .replace('127.0.0.1:4590', `127.0.0.1:${gatewayPort}`)
    .replace('127.0.0.1:4591', `127.0.0.1:${deadPort}`)
    .replace('listen 443 ssl http2;', `listen 127.0.0.1:${port} ssl http2;`)
    .replace('listen 80;', `listen 127.0.0.1:${plainPort};`)
    .replace(/^ {2}listen \[::\]:.*\n/gm, '')
    .replace('/etc/ssl/esdb-gater/fullchain.pem', cert)
    .replace('/etc/ssl/esdb-gater/privkey.pem', key);
  writeFileSync(join(folder.path, 'esdb-gater.conf'), conf);
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => {
    mkdirSync(join(folder.path, name));
    return `  ${name}_temp_path ${join(folder.path, name)};`;
  });
  const main = join(folder.path, 'nginx.conf');
  writeFileSync(
    main,
    [
      'daemon off;',
      'worker_processes 1;',
      `pid ${join(folder.path, 'pid')};`,
      'error_log stderr warn;',
      'events { worker_connections 256; }',
      'http {',
      '  access_log off;',
      ...temporary,
      `  include ${join(folder.path, 'esdb-gater.conf')};`,
      '}',
    ].join('\n'),
  );
  execFileSync('nginx', ['-t', '-q', '-c', main]);
  return runProxy('nginx', ['-c', main], folder.path, port);
}

async function startCaddy(gatewayPort: number, deadPort: number): Promise<Proxy> {
  const folder = temporaryFolder();
  cleanUps.push(folder.remove);
  const [port = 0] = await freePorts(1);
  const { cert, key } = tlsFiles(folder.path);
  const file = join(folder.path, 'Caddyfile');
  const text = opsText('caddy', 'Caddyfile')
    .replace('127.0.0.1:4590', `127.0.0.1:${gatewayPort}`)
    .replace('127.0.0.1:4591', `127.0.0.1:${deadPort}`)
    // There is no authority to ask for a certificate.
    .replace(`${NAME} {`, `${NAME}:${port} {\n\ttls ${cert} ${key}`);
  writeFileSync(
    file,
    text.replace('grace_period 10s', 'grace_period 1s\n\tadmin off\n\tauto_https disable_redirects'),
  );
  return runProxy('caddy', ['run', '--adapter', 'caddyfile', '--config', file], folder.path, port);
}

/** Where a client finds the proxy: at its name, which no resolver knows here. */
function options({ port }: Proxy) {
  return { host: '127.0.0.1', port, servername: NAME, rejectUnauthorized: false };
}

async function open(
  proxy: Proxy,
  path: string,
  headers: Record<string, string> = {},
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request({ ...options(proxy), path, headers: { host: NAME, ...headers } }, resolve)
      .on('error', reject)
      .end();
  });
}

async function ask(proxy: Proxy, path: string, headers?: Record<string, string>) {
  const response = await open(proxy, path, headers);
  let body = '';
  for await (const chunk of response) body += String(chunk);
  return { status: response.statusCode, body };
}

/** Returns everything that a response has brought so far. */
function collect(response: IncomingMessage): () => string {
  let text = '';
  response.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  response.on('error', () => undefined);
  cleanUps.push(() => response.destroy());
  return () => text;
}

function openSocket(proxy: Proxy, headers: Record<string, string> = {}) {
  const socket = new WebSocket(`wss://127.0.0.1:${proxy.port}/v1/ws`, 'esdb-gater.v1', {
    ...options(proxy),
    headers: { host: NAME, ...headers },
  });
  cleanUps.push(() => socket.terminate());
  const messages: string[] = [];
  socket.on('message', (data) => messages.push(String(data)));
  const opened = new Promise<void>((resolve, reject) => {
    socket.once('open', resolve).once('error', reject);
  });
  return { socket, messages, opened };
}

function call(socket: WebSocket, id: number, method: string, params: object): void {
  socket.send(JSON.stringify({ jsonrpc: '2.0', id, method, params }));
}

const PROXIES = [
  ['nginx', programUnavailable('nginx', ['-v']), startNginx],
  ['Caddy', programUnavailable('caddy', ['version']), startCaddy],
] as const;

describe.each(PROXIES)('%s', (_name, reason, startProxy) => {
  test.skipIf(reason !== undefined)(
    `passes on calls, and messages at once, by WebSocket and by SSE${because(reason)}`,
    async () => {
      const { proxy } = await start(startProxy);
      const { socket, messages, opened } = openSocket(proxy, { origin: `https://${NAME}` });
      await opened;
      expect(socket.protocol).toBe('esdb-gater.v1');
      call(socket, 1, 'subscribe', { channel: 'system', topic: 'through.>' });
      await vi.waitFor(() => expect(messages.some((text) => text.includes('"id":1'))).toBe(true), WAIT);

      const stream = await open(proxy, '/v1/channels/system/messages?topic=through.*');
      expect(stream.headers['content-type']).toBe('text/event-stream; charset=utf-8');
      const received = collect(stream);
      await vi.waitFor(() => expect(received()).toContain('event: subscribed'), WAIT);

      call(socket, 2, 'publish', { channel: 'system', topic: 'through.proxy', message: { n: 1 } });
      await vi.waitFor(
        () => expect(messages.some((text) => text.includes('"method":"message"'))).toBe(true),
        WAIT,
      );
      // The stream is still open, so the proxy did not wait for its end.
      await vi.waitFor(() => expect(received()).toContain('"message":{"n":1}'), WAIT);
      expect(stream.complete).toBe(false);
    },
    60_000,
  );

  test.skipIf(reason !== undefined)(
    `takes an event of the largest size and long headers${because(reason)}`,
    async () => {
      const { proxy } = await start(startProxy);
      const { socket, messages, opened } = openSocket(proxy);
      await opened;
      const text = 'x'.repeat(LIMITS.messageBytes - 1_000);
      call(socket, 1, 'appendEvents', {
        storeId: 'default',
        streamId: 's',
        events: [{ type: 't', data: text }],
      });
      await vi.waitFor(() => expect(messages.join('')).toContain('"count":1'), WAIT);
      const long = await ask(proxy, '/v1/stores/default/streams/s', { 'x-long': 'x'.repeat(20_000) });
      expect(long).toMatchObject({ status: 200, body: '{"version":0,"exists":true}' });
    },
    60_000,
  );

  test.skipIf(reason !== undefined)(
    `keeps /metrics inside, and refuses pages of other sites${because(reason)}`,
    async () => {
      const { proxy } = await start(startProxy);
      expect((await ask(proxy, '/metrics')).status).toBe(404);
      const { opened } = openSocket(proxy, { origin: 'https://evil.example' });
      await expect(opened).rejects.toThrow(/403/);
    },
    60_000,
  );

  test.skipIf(reason !== undefined)(
    `closes the WebSocket with the code of a gateway that stops${because(reason)}`,
    async () => {
      const { gateway, proxy }: { gateway: TestGateway; proxy: Proxy } = await start(startProxy);
      const { socket, opened } = openSocket(proxy);
      await opened;
      const closed = once(socket, 'close');
      await gateway.close();
      expect((await closed)[0]).toBe(1001);
      expect((await ask(proxy, '/readyz')).status).toBeGreaterThanOrEqual(502);
    },
    60_000,
  );
});
