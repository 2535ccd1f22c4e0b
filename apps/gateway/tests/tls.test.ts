import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { startTestGateway } from './support/in-process.ts';

let folder: string;
let files: { cert: string; key: string };
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'esdb-gater-tls-'));
  files = { cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') };
  const subject = ['-subj', '/CN=localhost', '-days', '1'];
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'];
  execFileSync(
    'openssl',
    ['req', '-x509', '-nodes', ...curve, '-keyout', files.key, '-out', files.cert, ...subject],
    {
      stdio: 'ignore',
    },
  );
});
afterAll(() => rmSync(folder, { recursive: true }));

const MEMORY = { stores: '{"default":{"engine":"memory"}}' };

test('with a certificate the port uses TLS, for HTTP and WebSocket', async () => {
  await using gateway = await startTestGateway({
    ...MEMORY,
    'tls-cert-file': files.cert,
    'tls-key-file': files.key,
  });
  expect(gateway.url).toMatch(/^wss:/);
  const status = await new Promise((resolve, reject) => {
    request(`${gateway.http}/readyz`, { rejectUnauthorized: false }, (response) => {
      response.resume();
      resolve(response.statusCode);
    })
      .on('error', reject)
      .end();
  });
  expect(status).toBe(200);
  const socket = new WebSocket(gateway.url, { rejectUnauthorized: false });
  const hello = await new Promise((resolve, reject) => socket.once('message', resolve).once('error', reject));
  expect(String(hello)).toContain('"method":"hello"');
  socket.terminate();
});

test('a certificate that cannot be read is named', async () => {
  const flags = { ...MEMORY, 'tls-cert-file': join(folder, 'none.pem'), 'tls-key-file': files.key };
  await expect(startTestGateway(flags)).rejects.toThrow(
    /`tls\.certFile` must be a file that can be read, got .*none\.pem: it does not exist/,
  );
});
