import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  type GatewayProcess,
  runCli,
  startGatewayProcess,
  temporaryFolder,
} from '../support/gateway-process.ts';

const folder = temporaryFolder();
const certificate = { cert: join(folder.path, 'cert.pem'), key: join(folder.path, 'key.pem') };
let secure: GatewayProcess;
let plain: GatewayProcess;

beforeAll(async () => {
  const subject = ['-days', '2', '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'];
  execFileSync(
    'openssl',
    ['req', '-x509', '-nodes', ...curve, '-keyout', certificate.key, '-out', certificate.cert, ...subject],
    { stdio: 'ignore' },
  );
  const flags = ['--tls-cert-file', certificate.cert, '--tls-key-file', certificate.key];
  secure = await startGatewayProcess(join(folder.path, 'secure'), flags);
  plain = await startGatewayProcess(join(folder.path, 'plain'));
});

afterAll(async () => {
  await secure?.stop();
  await plain?.stop();
  folder.remove();
});

const portOf = ({ url }: GatewayProcess) => new URL(url).port;

describe('a command that cannot connect', () => {
  test('prints the cause and the remedy in one line [R28]', { timeout: 120_000 }, async () => {
    const silent = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const closed = (silent.address() as { port: number }).port;
    const cases: [url: string, words: RegExp][] = [
      [
        `wss://localhost:${portOf(secure)}`,
        /self-signed certificate \(pass `--ca-file`, or fix the certificate\)/,
      ],
      [`wss://127.0.0.1:${portOf(plain)}`, /it does not speak TLS; use ws:\/\/ instead of wss:\/\//],
      [`ws://127.0.0.1:${portOf(secure)}`, /if it uses TLS, use wss:\/\/ instead of ws:\/\//],
      ['ws://127.0.0.1:9', /connection refused; is the gateway started/],
      ['ws://no-such-host.invalid', /DNS/],
      [`ws://127.0.0.1:${closed}`, /closed the connection without an answer/],
    ];
    const results = await Promise.all(cases.map(([url]) => runCli(['read', 'a', '--url', url])));
    silent.close();
    for (const [index, { code, stdout, stderr }] of results.entries()) {
      const [url, words] = cases[index] as [string, RegExp];
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
      expect(stderr).toContain(`unavailable: cannot connect to ${url}/v1/ws: `);
      expect(stderr).toMatch(words);
      expect(stderr.trimEnd()).not.toContain('\n');
    }
  });

  test('connects with --ca-file, and names a certificate for another host [R28]', {
    timeout: 60_000,
  }, async () => {
    const caFile = ['--ca-file', certificate.cert];
    const health = (host: string, file: readonly string[]) =>
      runCli(['health', '--url', `wss://${host}:${portOf(secure)}`, ...file]);
    expect(await health('localhost', caFile)).toMatchObject({ code: 0, stderr: '' });
    expect((await health('127.0.0.1', caFile)).stderr).toContain('the certificate is for another host name');
    expect(await health('localhost', ['--ca-file', certificate.key])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--ca-file must be a file of PEM certificates'),
    });
  });
});
