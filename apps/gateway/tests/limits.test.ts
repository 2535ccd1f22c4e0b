import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { startTestGateway, type TestGateway } from './support/in-process.ts';
import { rawConnect } from './support/raw-client.ts';

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startTestGateway({ stores: '{"default":{"engine":"memory"}}' });
});
afterAll(() => gateway.close());

const MIB = 1_048_576;

describe('frames', () => {
  test('a message over 1 MiB is payload_too_large and the connection stays open; a frame over 16 MiB closes with 1009 [T10]', async () => {
    const client = await rawConnect(gateway.url);
    const publish = (bytes: number) =>
      client.call('publish', { channel: 'system', topic: 'a', message: 'x'.repeat(bytes) });
    expect((await publish(MIB - 2)).error).toBeUndefined();
    expect((await publish(MIB - 1)).error?.data).toMatchObject({
      code: 'payload_too_large',
      retriable: false,
    });
    void publish(17 * MIB).catch(() => undefined);
    expect((await client.closed).code).toBe(1009);
  });

  test('a binary frame closes with 1003, bad UTF-8 with 1007 [T17]', async () => {
    const binary = await rawConnect(gateway.url);
    binary.socket.send(Buffer.from('{}'), { binary: true });
    expect((await binary.closed).code).toBe(1003);
    const bad = await rawConnect(gateway.url);
    bad.socket.send(Buffer.from([0x22, 0xff, 0xfe, 0x22]), { binary: false });
    expect((await bad.closed).code).toBe(1007);
  });

  test('20 000 fragments of one message are refused [T10]', async () => {
    const client = await rawConnect(gateway.url);
    for (let n = 0; n < 20_000; n++) client.socket.send('x', { fin: false });
    expect([1008, 1009]).toContain((await client.closed).code);
  });

  test('deep, duplicated or unusual JSON is answered and the gateway still serves [T17]', async () => {
    const client = await rawConnect(gateway.url);
    const deep = `{"jsonrpc":"2.0","id":1,"method":"publish","params":{"channel":"system","topic":"a","message":${'['.repeat(100_000)}${']'.repeat(100_000)}}}`;
    for (const text of [
      deep,
      '',
      'null',
      '1',
      '"x"',
      '[]',
      '{}',
      '{"jsonrpc":"1.0","id":1,"method":"health"}',
      '{"jsonrpc":"2.0","id":{},"method":"health"}',
    ]) {
      client.send(text);
    }
    await client.until(() => client.texts.length === 10);
    const codes = client.texts
      .slice(1)
      .map((text) => (JSON.parse(text) as { error: { code: number } }).error.code);
    expect(codes.every((code) => code === -32600 || code === -32700 || code === -32602)).toBe(true);
    const doubled =
      '{"jsonrpc":"2.0","id":"d","method":"publish","method":"getVersion","params":{"storeId":"default","streamId":"\\ud800"}}';
    client.send(doubled);
    await client.until(() => client.texts.length === 11);
    expect(JSON.parse(client.texts[10] ?? '')).toMatchObject({
      id: 'd',
      error: { data: { code: 'invalid_argument' } },
    });
    client.send(
      `{"jsonrpc":"2.0","id":"n","method":"publish","params":{"channel":"system","topic":"a","message":1e999}}`,
    );
    await client.until(() => client.texts.length === 12);
    await client.close();
  });
});

describe('calls', () => {
  test('calls beyond the limit in flight are overloaded, and the others are answered [T12]', async () => {
    await using small = await startTestGateway({
      'limits-in-flight-per-connection': '8',
      stores: '{"default":{"engine":"sqlite"}}',
    });
    const client = await rawConnect(small.url);
    const answers = await Promise.all(
      Array.from({ length: 200 }, (_, n) =>
        client.call('appendEvents', { storeId: 'default', streamId: 's', events: [{ type: 't', data: n }] }),
      ),
    );
    const codes = answers.map(({ error }) => error?.data.code ?? 'ok');
    expect(new Set(codes)).toEqual(new Set(['ok', 'overloaded']));
    expect(codes.filter((code) => code === 'ok').length).toBeGreaterThanOrEqual(8);
    await client.close();
  });

  test('a thousand large reads by a client that does not read do not fill the memory [T11]', async () => {
    const writer = await rawConnect(gateway.url);
    for (let n = 0; n < 8; n++) {
      const events = Array.from({ length: 4 }, () => ({ type: 't', data: 'x'.repeat(900_000) }));
      await writer.call('appendEvents', { storeId: 'default', streamId: 'large', events });
    }
    await writer.close();
    const before = process.memoryUsage.rss();
    const client = await rawConnect(gateway.url);
    client.socket.pause();
    for (let n = 0; n < 1_000; n++)
      void client.call('getEvents', { storeId: 'default', streamId: 'large' }).catch(() => undefined);
    const other = await rawConnect(gateway.url);
    for (let n = 0; n < 200; n++)
      expect((await other.call('getVersion', { storeId: 'default', streamId: 'large' })).result).toEqual({
        version: 31,
      });
    // One answer is 8 MiB: without a bound these would be 8 GiB.
    expect(process.memoryUsage.rss() - before).toBeLessThan(500 * MIB);
    client.socket.terminate();
    await other.close();
  });
});

describe('connections', () => {
  test('a connection above the limit is closed with 4429, and its place is free again later [T12]', async () => {
    await using small = await startTestGateway({
      'limits-connections': '2',
      stores: '{"default":{"engine":"memory"}}',
    });
    const first = await rawConnect(small.url);
    const second = await rawConnect(small.url);
    const third = new WebSocket(small.url);
    const [code] = (await once(third, 'close')) as [number];
    expect(code).toBe(4429);
    await first.close();
    const fourth = await rawConnect(small.url);
    await fourth.close();
    await second.close();
  });

  test('headers that arrive byte by byte do not delay other clients [T13]', async () => {
    const slow = Array.from({ length: 50 }, () => connect(gateway.port, '127.0.0.1'));
    for (const socket of slow) {
      socket.on('error', () => undefined);
      socket.write('GET /livez HTTP/1.1\r\nHost: localhost\r\nX-A: ');
    }
    const durations: number[] = [];
    for (let n = 0; n < 11; n++) {
      const start = performance.now();
      expect((await fetch(`${gateway.http}/livez`)).status).toBe(200);
      durations.push(performance.now() - start);
    }
    // The promise itself is a time. The median counts, since this process and others on the machine pause at times.
    expect(durations.sort((a, b) => a - b)[5]).toBeLessThan(200);
    for (const socket of slow) socket.destroy();
  });
});

describe('a subscriber that stops reading', () => {
  test('is closed with 4008 without slowing others; clients that read receive everything in order [T11]', async () => {
    const stalled = await rawConnect(gateway.url);
    const reader = await rawConnect(gateway.url);
    const publisher = await rawConnect(gateway.url);
    for (const client of [stalled, reader])
      await client.call('subscribe', { channel: 'events', topic: 'flood' });
    stalled.socket.pause();
    const message = 'x'.repeat(10_000);
    const before = process.memoryUsage.rss();
    for (let n = 0; n < 4_000; n += 100) {
      await Promise.all(
        Array.from({ length: 100 }, (_, i) =>
          publisher.call('publish', { channel: 'events', topic: 'flood', message: { n: n + i, message } }),
        ),
      );
      // It reads on as soon as it is closed: the close frame waits for it only for some seconds.
      if (stalled.socket.isPaused && (await closedWith(4008)) > 0) stalled.socket.resume();
    }
    await reader.until(() => reader.notices.length > 4_000);
    const numbers = reader.notices.slice(1).map(({ params }) => (params['message'] as { n: number }).n);
    expect(numbers).toEqual(Array.from({ length: 4_000 }, (_, n) => n));
    expect(process.memoryUsage.rss() - before).toBeLessThan(400 * MIB);
    expect((await stalled.closed).code).toBe(4008);
    await reader.close();
    await publisher.close();
  });

  /** How many connections the gateway has closed with a code. */
  async function closedWith(code: number): Promise<number> {
    const text = await (await fetch(new URL('/metrics', gateway.url.replace('ws', 'http')))).text();
    return Number(new RegExp(`_connections_closed_total\\{code="${code}"\\} (\\d+)`).exec(text)?.[1] ?? 0);
  }
});
