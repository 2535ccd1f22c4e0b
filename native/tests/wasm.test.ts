import { execFileSync } from 'node:child_process';
import { createHmac, createPrivateKey, sign } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { instantiate } from '../wasm.js';
import { BITCOIN_CORE, hex, RFC_4231, RFC_8032 } from './vectors.ts';
import { answersOf, type Vectors } from './wasm-answers.js';

const root = join(import.meta.dirname, '..');
const file = join(root, 'esdb-gater-native.wasm');

function signedToken(): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const signed = `${part({ alg: 'EdDSA', typ: 'JWT' })}.${part({ iss: 'did:key:z6Mk' })}`;
  const der = Buffer.concat([hex('302e020100300506032b657004220420'), hex(RFC_8032[0]?.[0] ?? '')]);
  const key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  return `${signed}.${sign(null, Buffer.from(signed), key).toString('base64url')}`;
}

const vectors: Vectors = {
  rfc4231: RFC_4231,
  rfc8032: RFC_8032,
  bitcoinCore: BITCOIN_CORE,
  token: signedToken(),
};

const EXPECTED = {
  macs: RFC_4231.map(([, , mac]) => mac),
  publicKeys: RFC_8032.map(([, publicKey]) => publicKey),
  signatures: RFC_8032.map(([, , , signature]) => signature),
  verified: RFC_8032.map(() => true),
  forged: RFC_8032.map(() => false),
  texts: BITCOIN_CORE.map(([, text]) => text),
  bytes: BITCOIN_CORE.map(([bytes]) => bytes),
  message: createHmac('sha256', hex('0102')).update('é \u{1f600}').digest('base64url'),
  messageVerified: true,
  tokens: [true, false],
  refused: ['SyntaxError', 'RangeError', 'TypeError', 'TypeError', 'RangeError', 'RangeError', 'RangeError'],
};

function browserPath(): string | undefined {
  try {
    return execFileSync('which', ['chromium'], { encoding: 'utf8' }).trim();
  } catch {
    return undefined;
  }
}

const CHROMIUM_FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** A text, since Vitest would rewrite the imports of a function. */
const IN_THE_PAGE = `(async () => {
  const [{ instantiate }, { answersOf }] = await Promise.all([import('/wasm.js'), import('/wasm-answers.js')]);
  const bytes = await (await fetch('/engine.wasm')).arrayBuffer();
  return answersOf(await instantiate(bytes), VECTORS);
})()`;

/** Serves the three files that the page needs, and an empty page. */
async function serve(): Promise<{ readonly url: string; close(): void }> {
  const files: Readonly<Record<string, readonly [string, string]>> = {
    '/wasm.js': [join(root, 'wasm.js'), 'text/javascript'],
    '/wasm-answers.js': [join(root, 'tests', 'wasm-answers.js'), 'text/javascript'],
    '/engine.wasm': [file, 'application/wasm'],
  };
  const server = createServer((request, response) => {
    const [path, type] = files[request.url ?? ''] ?? [];
    response.writeHead(200, { 'content-type': type ?? 'text/html' });
    response.end(path === undefined ? '<!doctype html>' : readFileSync(path));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, close: () => server.close() };
}

describe('the engine as WebAssembly', () => {
  const built = existsSync(file);
  const browser = browserPath();

  test.skipIf(!built)('passes the vectors in Node (npm run build:wasm builds it)', async () => {
    expect(answersOf(await instantiate(readFileSync(file)), vectors)).toEqual(EXPECTED);
  });

  test.skipIf(!built)('takes data that make its memory grow', async () => {
    const engine = await instantiate(readFileSync(file));
    const id = engine.createHmacKey(hex('00'));
    for (const size of [1, 5_000_000, 20_000_000]) {
      const data = new Uint8Array(size).fill(size & 0xff);
      const expected = createHmac('sha256', hex('00')).update(data).digest();
      expect(Buffer.from(engine.hmacSha256(id, data)).equals(expected)).toBe(true);
    }
    expect(() => engine.hmacSha256(id, new Uint8Array(64 * 1024 * 1024 + 1))).toThrow(RangeError);
  });

  test.skipIf(!built || browser === undefined)('passes the vectors in Chromium', async () => {
    const server = await serve();
    const running = await chromium.launch({ executablePath: browser as string, args: CHROMIUM_FLAGS });
    try {
      const page = await running.newPage();
      await page.goto(server.url);
      const answers = await page.evaluate(IN_THE_PAGE.replace('VECTORS', JSON.stringify(vectors)));
      expect(answers).toEqual(EXPECTED);
    } finally {
      await running.close();
      server.close();
    }
  });
});
