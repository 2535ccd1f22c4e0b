// T30 and T35: the memory of a gateway for callers without a token, and for clients that do not read. Real processes.
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import type { Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { connect } from '@esdb-gater/client';
import { afterEach, expect, test } from 'vitest';
import { type GatewayProcess, startGatewayProcess, temporaryFolder } from '../support/gateway-process.ts';
import { startTestGateway } from '../support/in-process.ts';
import { rawConnect } from '../support/raw-client.ts';
import {
  clientFrame,
  openSocket,
  openWebSocket,
  residentMib,
  writeUntilStalled,
} from '../support/raw-socket.ts';
import { bearer, root, startGuarded, tokenFor } from './support.ts';

const MIB = 1_048_576;

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

async function start(...flags: string[]): Promise<GatewayProcess> {
  const folder = temporaryFolder();
  cleanUps.push(folder.remove);
  const gateway = await startGatewayProcess(folder.path, flags);
  cleanUps.push(() => gateway.kill9());
  return gateway;
}

/** Runs `attack`, and returns by how many MiB the gateway grows at most meanwhile. */
async function growth(gateway: GatewayProcess, attack: () => Promise<unknown>): Promise<number> {
  const before = residentMib(gateway.pid);
  let most = before;
  const timer = setInterval(() => {
    most = Math.max(most, residentMib(gateway.pid));
  }, 20);
  try {
    await attack();
    return Math.max(most, residentMib(gateway.pid)) - before;
  } finally {
    clearInterval(timer);
  }
}

function opened(sockets: readonly Socket[]): readonly Socket[] {
  cleanUps.push(() => {
    for (const socket of sockets) socket.destroy();
  });
  return sockets;
}

/** A frame, or a body, of 16 MiB that lacks its last byte. */
const INCOMPLETE_FRAME = clientFrame(`"${'x'.repeat(16 * MIB - 2)}"`).subarray(0, -1);
const INCOMPLETE_BODY = Buffer.concat([
  Buffer.from(
    `POST /v1/channels/system/messages HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${16 * MIB}\r\n\r\n`,
  ),
  Buffer.alloc(16 * MIB - 1, 0x20),
]);

test.each([
  ['WebSocket frames', 'required', openWebSocket, INCOMPLETE_FRAME],
  ['HTTP bodies', 'required', openSocket, INCOMPLETE_BODY],
  ['WebSocket frames', 'optional', openWebSocket, INCOMPLETE_FRAME],
  ['HTTP bodies', 'optional', openSocket, INCOMPLETE_BODY],
] as const)(
  '60 %s of 16 MiB that nobody completes cost less than 100 MiB in the mode %s [R6] [T30]',
  async (_kind, mode, open, bytes) => {
    const gateway = await start('--security-capabilities', mode, '--limits-authenticate-ms', '60000');
    const grown = await growth(gateway, async () => {
      const sockets = opened(await Promise.all(Array.from({ length: 60 }, () => open(gateway.url))));
      for (const socket of sockets) socket.resume();
      const outcomes = await Promise.all(sockets.map((socket) => writeUntilStalled(socket, bytes, 1, 2_000)));
      if (mode === 'optional') expect(outcomes).toContain('stalled');
    });
    expect(grown).toBeLessThan(100);
    expect((await fetch(`${gateway.http}/livez`)).status).toBe(200);
  },
  60_000,
);

/** Returns the status that a client of `node:http` reads while it sends `bytes`. */
async function statusOfRequest(
  url: string,
  bytes: Buffer,
  connection: string = 'keep-alive',
): Promise<number | undefined> {
  const headers = { 'content-type': 'application/json', connection };
  const sent = request(url, { method: 'POST', headers });
  // A client whose connection ends while it sends has its answer already.
  sent.on('error', () => undefined);
  sent.end(bytes);
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  await text(response);
  return response.statusCode;
}

/** Returns what a client reads that writes everything before it reads anything. */
async function writeThenRead(url: string, path: string, length: number, connection: string): Promise<string> {
  const socket = await openSocket(url);
  socket.write(
    `POST ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: ${connection}\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\n\r\n`,
  );
  await new Promise((resolve) => socket.write(Buffer.alloc(length, 0x20), resolve));
  const [head] = (await once(socket, 'data')) as [Buffer];
  socket.destroy();
  return String(head);
}

test.each(['keep-alive', 'close'])(
  'clients that send 16 MiB read why they are refused with Connection: %s [R6] [T30]',
  async (connection) => {
    await using guarded = await startGuarded();
    await using open = await startTestGateway();
    const path = '/v1/channels/system/messages';
    const headers = { 'content-type': 'application/json' };
    for (const [{ url, http }, bytes, status] of [
      [guarded, 16 * MIB, 401],
      [open, 16 * MIB + 1, 413],
    ] as const) {
      const body = Buffer.alloc(bytes, 0x20);
      // First, while little has been thrown away.
      expect(await writeThenRead(url, path, bytes, connection)).toContain(`HTTP/1.1 ${status} `);
      expect((await fetch(http + path, { method: 'POST', headers, body })).status).toBe(status);
      expect(await statusOfRequest(http + path, body, connection)).toBe(status);
    }
  },
);

test('clients read why they are refused while others spend what the gateway throws away [R6] [T30]', async () => {
  await using gateway = await startGuarded({}, { bounds: { discardedBytes: 1, discardedBytesPerSecond: 1 } });
  const path = '/v1/channels/system/messages';
  const body = Buffer.alloc(16 * MIB, 0x20);
  const headers = { 'content-type': 'application/json' };
  expect((await fetch(gateway.http + path, { method: 'POST', headers, body })).status).toBe(401);
  expect(await statusOfRequest(gateway.http + path, body)).toBe(401);
  const client = await rawConnect(gateway.url);
  client.send('x'.repeat(16 * MIB));
  expect((await client.closed).code).toBe(1009);
});

test('a refused client that goes on sending is read no more, and closed [R6] [T30]', async () => {
  await using gateway = await startGuarded({}, { bounds: { discardedBytes: MIB, refusedCloseMs: 100 } });
  const path = '/v1/channels/system/messages';
  const socket = await openSocket(gateway.url);
  socket.resume();
  socket.write(
    `POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n`,
  );
  const chunk = Buffer.concat([Buffer.from('10000\r\n'), Buffer.alloc(65_536, 0x20), Buffer.from('\r\n')]);
  expect(await writeUntilStalled(socket, chunk, 1_024 * MIB, 30_000)).toBe('closed');
  const webSocket = await openWebSocket(gateway.url);
  webSocket.resume();
  expect(await writeUntilStalled(webSocket, INCOMPLETE_FRAME, 1_024 * MIB, 30_000)).toBe('closed');
}, 60_000);

test('60 complete messages of 16 MiB at once are all handled, one after the other [R6] [T30]', async () => {
  const gateway = await start();
  const clients = await Promise.all(Array.from({ length: 60 }, () => rawConnect(gateway.url)));
  const frame = `{"jsonrpc":"2.0","id":1,"method":"health","params":{},"x":"${'x'.repeat(16 * MIB - 100)}"}`;
  for (const { socket } of clients) socket.send(frame);
  await Promise.all(clients.map((client) => client.until(() => client.texts.length === 2)));
  for (const client of clients) client.socket.terminate();
}, 60_000);

test('a WebSocket without a token takes 64 KiB in the mode required, and 16 MiB once it has one [R6] [T30]', async () => {
  await using gateway = await startGuarded();
  const padded = (bytes: number): string =>
    `{"jsonrpc":"2.0","id":1,"method":"health"${' '.repeat(bytes - 42)}}`;
  const stranger = await rawConnect(gateway.url);
  stranger.send(padded(65_536));
  await stranger.until(() => stranger.texts.length === 2);
  stranger.send(padded(65_537));
  expect((await stranger.closed).code).toBe(1009);
  const later = await rawConnect(gateway.url);
  expect((await later.call('authenticate', { token: tokenFor(gateway.did) })).error).toBeUndefined();
  const bearing = await rawConnect(gateway.url, bearer(tokenFor(gateway.did)));
  for (const client of [later, bearing]) {
    const before = client.texts.length;
    client.send(padded(16 * MIB));
    await client.until(() => client.texts.length > before);
    await client.close();
  }
  expect(root.did).toMatch(/^did:key:/);
});

test('a body is refused before it is read when its token is missing or wrong [R6] [T30]', async () => {
  await using gateway = await startGuarded();
  const paths = ['/v1/channels/system/messages', '/v1/stores/default/streams/a/events', '/nowhere'];
  for (const path of paths) {
    for (const header of ['', 'Authorization: Bearer a.b.c\r\n']) {
      const socket = await openSocket(gateway.url);
      socket.write(
        `POST ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n${header}Content-Type: application/json\r\nContent-Length: 1000000\r\n\r\n{`,
      );
      const [head] = (await once(socket, 'data')) as [Buffer];
      expect(String(head), path).toMatch(path === '/nowhere' ? /^HTTP\/1\.1 404 / : /^HTTP\/1\.1 401 /);
      socket.destroy();
    }
  }
  const socket = await openSocket(gateway.url);
  socket.end(
    `POST /v1/revocations HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: 70000\r\n\r\n`,
  );
  expect(await text(socket)).toMatch(/^HTTP\/1\.1 413 /);
});

test('hello contains the limits in effect [R6] [R28]', async () => {
  await using gateway = await startGuarded({ 'limits-in-flight-per-connection': '7' });
  const client = await rawConnect(gateway.url);
  expect(client.hello['limits']).toEqual({
    frameBytes: 16 * MIB,
    messageBytes: MIB,
    inFlight: 7,
    batch: 100,
  });
  await client.close();
});

async function fill(gateway: GatewayProcess): Promise<void> {
  await using writer = await connect(gateway.url);
  for (let n = 0; n < 3; n++) {
    const events = Array.from({ length: 4 }, () => ({ type: 't', data: 'x'.repeat(900_000) }));
    await writer.appendEvents({ storeId: 'default', streamId: 'large', events });
  }
}

const GET = 'GET /v1/stores/default/streams/large/events HTTP/1.1\r\nHost: localhost\r\n\r\n';
const CALLS = Buffer.concat(
  Array.from({ length: 50 }, (_, id) =>
    clientFrame(
      `{"jsonrpc":"2.0","id":${id},"method":"getEvents","params":{"storeId":"default","streamId":"large"}}`,
    ),
  ),
);

test.each([
  ['60 HTTP clients', 60, openSocket, GET],
  ['30 WebSockets', 30, openWebSocket, CALLS],
] as const)(
  '%s that request large pages without reading cost bounded memory, and others get their pages [R6] [T35]',
  async (_kind, count, open, request) => {
    const gateway = await start();
    await fill(gateway);
    const grown = await growth(gateway, async () => {
      const sockets = opened(await Promise.all(Array.from({ length: count }, () => open(gateway.url))));
      for (const socket of sockets) socket.write(request);
      await using reader = await connect(gateway.url, { retry: { maxAttempts: 1 } });
      const options = { timeoutMs: 60_000 };
      for (let n = 0; n < 3; n++) {
        const page = await reader.getEvents({ storeId: 'default', streamId: 'large' }, options);
        expect(page.events.length).toBeGreaterThan(5);
      }
    });
    expect(grown).toBeLessThan(512);
  },
  90_000,
);
