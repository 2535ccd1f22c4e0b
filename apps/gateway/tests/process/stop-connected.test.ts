// F29: a stop with every kind of connection open, and the effect of SIGHUP. Real processes and raw sockets.
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { connect as connectTls } from 'node:tls';
import { afterEach, expect, test, vi } from 'vitest';
import { spawnCli, startGatewayProcess, temporaryFolder } from '../support/gateway-process.ts';
import { startOtlpReceiver } from '../support/otlp-receiver.ts';
import { rawConnect } from '../support/raw-client.ts';
import { clientFrame, openSocket, openWebSocket, writeUntilStalled } from '../support/raw-socket.ts';

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

function folderOf(): string {
  const folder = temporaryFolder();
  cleanUps.push(folder.remove);
  return folder.path;
}

const STORES = '{"default":{"engine":"sqlite"},"afar":{"engine":"remote"}}';
const HOST = 'HTTP/1.1\r\nHost: localhost\r\n';
const POST = `POST /v1/channels/system/messages ${HOST}Content-Type: application/json\r\n`;
const HEALTH = clientFrame('{"jsonrpc":"2.0","id":1,"method":"channelInfo"}');

test('a stop takes less than 10 s and cleans up, whoever is connected [R24] [F29]', async () => {
  const receiver = await startOtlpReceiver();
  cleanUps.push(() => receiver.close());
  const folder = folderOf();
  const gateway = await startGatewayProcess(folder, ['--stores', STORES], {
    OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
    OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
    // The export runs only in the clean-up.
    OTEL_BSP_SCHEDULE_DELAY: '600000',
  });
  cleanUps.push(() => gateway.kill9());
  const worker = await rawConnect(gateway.url);
  worker.serve(() => new Promise(() => undefined));
  await worker.call('registerWorker', { storeId: 'afar' });

  const requests = [
    // Silent, half of the headers, half of a body, kept alive, waiting for a worker, events without a reader.
    '',
    `GET /livez ${HOST}X-A: `,
    `${POST}Content-Length: 1000\r\n\r\n{`,
    `${POST}Transfer-Encoding: chunked\r\n\r\n1\r\n`,
    `GET /livez ${HOST}\r\n`,
    `GET /v1/stores/afar/streams/a/events ${HOST}\r\n`,
    `GET /v1/channels/system/messages?topic=%3E ${HOST}\r\n`,
    `GET /v1/channels/system/messages?topic=%3E ${HOST}\r\n`,
  ];
  const sockets = await Promise.all(requests.map(() => openSocket(gateway.url)));
  for (const [index, socket] of sockets.entries()) socket.write(requests[index] ?? '');
  for (const socket of sockets.slice(0, 6)) socket.resume();
  const [silent, calling, flooding] = await Promise.all([0, 1, 2].map(() => openWebSocket(gateway.url)));
  silent?.resume();
  calling?.write(
    clientFrame('{"jsonrpc":"2.0","id":1,"method":"getVersion","params":{"storeId":"afar","streamId":"a"}}'),
  );
  if (flooding !== undefined) {
    await writeUntilStalled(flooding, Buffer.concat(Array.from({ length: 2_000 }, () => HEALTH)), 1e9);
  }

  const started = performance.now();
  expect(await gateway.stop()).toBe(0);
  const seconds = (performance.now() - started) / 1_000;
  console.log(`stopped after ${seconds.toFixed(1)} s`);
  // The promise itself is a time.
  expect(seconds).toBeLessThan(10);
  expect(receiver.spans.length).toBeGreaterThan(0);
  expect(existsSync(join(folder, 'gateway.lock'))).toBe(false);
  expect(gateway.log.some((line) => line.includes('"msg":"stopped"'))).toBe(true);
  for (const socket of sockets) socket.destroy();
}, 60_000);

test('connections without a request do not hold up a stop [R24] [F29]', async () => {
  const gateway = await startGatewayProcess(folderOf(), ['--shutdown-grace-ms', '600000']);
  cleanUps.push(() => gateway.kill9());
  const sockets = await Promise.all(
    ['', 'GET /livez HTTP/1.1\r\n', `GET /livez ${HOST}\r\n`].map(async (text) => {
      const socket = await openSocket(gateway.url);
      socket.resume();
      socket.write(text);
      return socket;
    }),
  );
  const ends = sockets.map((socket) => new Promise((resolve) => socket.once('close', resolve)));
  // With this grace period anything that waited for them would outlast the test.
  expect(await gateway.stop()).toBe(0);
  await Promise.all(ends);
}, 30_000);

test('SIGHUP stops a gateway without TLS gracefully [R24]', async () => {
  const child = spawnCli(['start', '--port', '0', '--data-dir', folderOf()]);
  const lines: string[] = [];
  createInterface({ input: child.stdout as NodeJS.ReadableStream }).on('line', (line) => lines.push(line));
  await vi.waitFor(() => expect(lines.join()).toContain('"msg":"listening"'), { timeout: 30_000 });
  const exit = once(child, 'exit');
  child.kill('SIGHUP');
  expect(await exit).toEqual([0, null]);
  expect(lines.join()).toContain('"msg":"stopped"');
}, 60_000);

function makeCertificate(folder: string, name: string): { readonly cert: string; readonly key: string } {
  const pair = { cert: join(folder, `${name}.cert.pem`), key: join(folder, `${name}.key.pem`) };
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'];
  execFileSync(
    'openssl',
    [
      'req',
      '-x509',
      '-nodes',
      ...curve,
      '-keyout',
      pair.key,
      '-out',
      pair.cert,
      '-subj',
      `/CN=${name}`,
      '-days',
      '1',
    ],
    { stdio: 'ignore' },
  );
  return pair;
}

async function servedName(url: string): Promise<unknown> {
  const socket = connectTls({
    port: Number(new URL(url).port),
    host: '127.0.0.1',
    rejectUnauthorized: false,
  });
  await once(socket, 'secureConnect');
  const { subject } = socket.getPeerCertificate();
  socket.destroy();
  return subject.CN;
}

test('SIGHUP loads a new certificate under TLS, and a wrong pair leaves the old one in use [R24]', async () => {
  const folder = folderOf();
  const [first, second, other] = ['first', 'second', 'other'].map((name) => makeCertificate(folder, name));
  const used = makeCertificate(folder, 'used');
  const use = (cert?: string, key?: string): void => {
    copyFileSync(cert ?? '', used.cert);
    copyFileSync(key ?? '', used.key);
  };
  const tls = ['--tls-cert-file', used.cert, '--tls-key-file', used.key];
  use(first?.cert, other?.key);
  await expect(startGatewayProcess(join(folder, 'a'), tls)).rejects.toThrow(
    /tls\.keyFile` .*key values mismatch/,
  );
  use(first?.cert, first?.key);
  const gateway = await startGatewayProcess(join(folder, 'a'), tls);
  cleanUps.push(() => gateway.kill9());
  expect(await servedName(gateway.url)).toBe('first');
  use(second?.cert, other?.key);
  process.kill(gateway.pid, 'SIGHUP');
  await vi.waitFor(() => expect(gateway.log.join()).toMatch(/tls\.keyFile` .*key values mismatch/));
  expect(await servedName(gateway.url)).toBe('first');
  use(second?.cert, second?.key);
  process.kill(gateway.pid, 'SIGHUP');
  await vi.waitFor(async () => expect(await servedName(gateway.url)).toBe('second'));
  const silent = await openSocket(gateway.url);
  silent.resume();
  expect(await gateway.stop()).toBe(0);
}, 60_000);
