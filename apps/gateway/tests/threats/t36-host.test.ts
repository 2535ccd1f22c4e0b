import { once } from 'node:events';
import { connect } from 'node:net';
import type { Logger } from '@esdb-gater/types';
import { silentLogger } from '@esdb-gater/types';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestGateway, type TestGateway } from '../support/in-process.ts';

const SHELL = 'capacitor://localhost';
const warnings: { readonly fields: object; readonly message: string }[] = [];
const logger: Logger = {
  ...silentLogger,
  warn: (fields: object, message: string) => void warnings.push({ fields, message }),
};

/** One on loopback, and one that listens beyond it without asking for tokens. */
let gateways: readonly TestGateway[];
beforeAll(async () => {
  gateways = [
    await startTestGateway({ 'http-allowed-origins': SHELL }, { logger }),
    await startTestGateway({
      host: '0.0.0.0',
      'security-allow-insecure': true,
      'security-capabilities': 'optional',
      'http-allowed-origins': SHELL,
    }),
  ];
});
afterAll(async () => {
  for (const gateway of gateways) await gateway.close();
});

const UPGRADE = [
  ...['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13'],
  'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
];

/** Every way in, as a request line and headers. */
const DOORS: Readonly<Record<string, readonly [line: string, headers: readonly string[]]>> = {
  get: ['GET /v1/stores/default/streams HTTP/1.1', []],
  head: ['HEAD /v1/channels HTTP/1.1', []],
  health: ['GET /health HTTP/1.1', []],
  page: ['GET / HTTP/1.1', []],
  'server-sent events': ['GET /v1/channels/system/messages?topic=a HTTP/1.1', []],
  'an unknown path': ['GET /nowhere HTTP/1.1', []],
  websocket: ['GET /v1/ws HTTP/1.1', UPGRADE],
};

/** The status of a request that is written byte for byte. */
async function status(port: number, line: string, headers: readonly string[]): Promise<number> {
  const socket = connect(port, '127.0.0.1');
  socket.write(`${[line, ...headers].join('\r\n')}\r\n\r\n`);
  const [chunk] = (await once(socket, 'data')) as [Buffer];
  socket.destroy();
  return Number(/^HTTP\/1\.1 (\d+)/.exec(chunk.toString('latin1'))?.[1]);
}

const expected: Readonly<Record<string, number>> = { 'an unknown path': 404, websocket: 101 };

test('a foreign Host is refused at every entry point without a token [R9] [T36]', async () => {
  for (const { port } of gateways) {
    for (const [door, [line, headers]] of Object.entries(DOORS)) {
      for (const host of [
        'evil.example',
        `evil.example:${port}`,
        '127.0.0.1.evil.example',
        'localhost.evil.example',
      ]) {
        expect(await status(port, line, [`Host: ${host}`, ...headers]), `${door} ${host}`).toBe(403);
      }
      for (const host of [`127.0.0.1:${port}`, 'localhost']) {
        expect(await status(port, line, [`Host: ${host}`, ...headers]), `${door} ${host}`).toBe(
          expected[door] ?? 200,
        );
      }
    }
  }
});

test('two Host headers are 400 at every entry point, with any values [R9] [T36]', async () => {
  for (const { port } of gateways) {
    for (const [door, [line, headers]] of [
      ...Object.entries(DOORS),
      ['livez', ['GET /livez HTTP/1.1', []]] as const,
    ]) {
      for (const [first, second] of [
        ['localhost', 'evil.example'],
        ['evil.example', 'localhost'],
        ['localhost', 'localhost'],
      ]) {
        const both = [`Host: ${first}`, ...headers, `hOST: ${second}`];
        expect(await status(port, line, both), `${door} ${first} ${second}`).toBe(400);
      }
    }
  }
});

test('a listed page of an app shell may use every entry point, and a refused one is logged once with the key [R9] [T36]', async () => {
  for (const { port } of gateways) {
    for (const [door, [line, headers]] of Object.entries(DOORS)) {
      const from = (origin: string) =>
        status(port, line, [`Host: localhost:${port}`, `Origin: ${origin}`, ...headers]);
      expect(await from(SHELL), door).toBe(expected[door] ?? 200);
      for (const origin of ['ionic://localhost', 'null', 'https://evil.example']) {
        expect(await from(origin), `${door} ${origin}`).toBe(403);
      }
    }
  }
  const ofOrigins = warnings.filter(({ fields }) => 'origin' in fields);
  expect(ofOrigins).toEqual(
    ['ionic://localhost', 'null', 'https://evil.example'].map((origin) => ({
      fields: { origin, key: 'http.allowedOrigins' },
      message: expect.stringContaining('http.allowedOrigins'),
    })),
  );
});
