import { METHOD_NAMES } from '@esdb-gater/protocol';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestGateway, type TestGateway } from './support/in-process.ts';
import { type RawClient, rawConnect } from './support/raw-client.ts';

let gateway: TestGateway;
let client: RawClient;
beforeAll(async () => {
  gateway = await startTestGateway({
    stores: '{"default":{"engine":"sqlite"},"scratch":{"engine":"memory"},"afar":{"engine":"remote"}}',
  });
  client = await rawConnect(gateway.url);
});
afterAll(async () => {
  await client.close();
  await gateway.close();
});

const event = (n: number) => ({ type: 'counted', data: { n } });

test('hello lists the methods that are served, and no others', () => {
  expect(client.hello).toMatchObject({
    gatewayDid: gateway.did,
    nodeId: gateway.nodeId,
    capabilities: 'optional',
  });
  expect((client.hello['methods'] as string[]).toSorted()).toEqual(METHOD_NAMES.toSorted());
});

test('a method of later work answers not_supported, and an unknown one too', async () => {
  for (const method of ['frobnicate', 'constructor', 'verifyStreams']) {
    const { error } = await client.call(method, {});
    expect(error, method).toMatchObject({ code: -32601, data: { code: 'not_supported', retriable: false } });
  }
});

describe('streams', () => {
  test('events are appended and read forward and backward', async () => {
    const stream = { storeId: 'default', streamId: 'orders-1' };
    const first = await client.call('appendEvents', {
      ...stream,
      expectedVersion: -1,
      events: [event(1), event(2)],
    });
    expect(first.result).toEqual({ version: 1, position: 2, count: 2, duplicate: false });
    const forward = await client.call('streamForward', stream);
    expect(forward.result).toMatchObject({ version: 1, events: [{ data: { n: 1 } }, { data: { n: 2 } }] });
    const backward = await client.call('streamBackward', { ...stream, count: 1 });
    expect(backward.result).toMatchObject({ events: [{ data: { n: 2 }, version: 1 }], next: 0 });
  });

  test('a stale expected version is refused with both numbers', async () => {
    const { error } = await client.call('appendEvents', {
      storeId: 'default',
      streamId: 'orders-1',
      expectedVersion: 0,
      events: [event(3)],
    });
    expect(error).toMatchObject({
      code: -32000,
      data: { code: 'wrong_expected_version', expected: 0, actual: 1 },
    });
  });

  test('names of object members are names like any other', async () => {
    for (const streamId of ['__proto__', 'constructor', 'toString']) {
      const params = {
        storeId: 'scratch',
        streamId,
        events: [JSON.parse(`{"type":"${streamId}","data":{"__proto__":{"x":1}}}`)],
      };
      expect((await client.call('appendEvents', params)).result).toMatchObject({ version: 0 });
      const read = await client.call('getEvents', { storeId: 'scratch', streamId });
      expect(JSON.stringify(read.result)).toContain('{"__proto__":{"x":1}}');
    }
    expect(({} as { x?: unknown }).x).toBeUndefined();
    const { error } = await client.call('getVersion', { storeId: '__proto__', streamId: 'a' });
    expect(error?.data.code).toBe('store_not_found');
  });
});

describe('channels', () => {
  test('101 messages on health give exactly one rate_limited with retryAfterMs', async () => {
    const answers = await Promise.all(
      Array.from({ length: 101 }, (_, n) =>
        client.call('publish', { channel: 'health', topic: 'node.a', message: { n } }),
      ),
    );
    const refused = answers.filter(({ error }) => error !== undefined);
    expect(refused.map(({ error }) => error?.data.code)).toEqual(['rate_limited']);
    expect(refused[0]?.error?.data['retryAfterMs']).toBeGreaterThan(0);
    // A second, and the slot of at most 10 ms by which the window errs on the strict side.
    expect(refused[0]?.error?.data['retryAfterMs']).toBeLessThanOrEqual(1_010);
  });

  test('alerts without a signature are refused', async () => {
    const { error } = await client.call('publish', { channel: 'alerts', topic: 'disk.full', message: {} });
    expect(error?.data.code).toBe('signature_required');
  });

  test('a message reaches a subscriber of a pattern once, however many of its patterns match', async () => {
    const other = await rawConnect(gateway.url);
    for (const topic of ['jobs.*', 'jobs.done', '>'])
      await other.call('subscribe', { channel: 'system', topic });
    await client.call('publish', { channel: 'system', topic: 'jobs.done', message: 'yes' });
    await client.call('publish', { channel: 'system', topic: 'end', message: 'end' });
    await other.until(() => other.notices.some(({ params }) => params['topic'] === 'end'));
    expect(
      other.notices.filter(({ method }) => method === 'message').map(({ params }) => params['message']),
    ).toEqual(['yes', 'end']);
    await other.close();
  });

  test('events that are appended appear on events, in order', async () => {
    const other = await rawConnect(gateway.url);
    await other.call('subscribe', { channel: 'events', topic: 'default.fed-1.counted' });
    for (let n = 0; n < 20; n++) {
      await client.call('appendEvents', { storeId: 'default', streamId: 'fed-1', events: [event(n)] });
    }
    await other.until(() => other.notices.filter(({ method }) => method === 'message').length === 20);
    const numbers = other.notices
      .slice(1)
      .map(({ params }) => (params['message'] as { data: { n: number } }).data.n);
    expect(numbers).toEqual(Array.from({ length: 20 }, (_, n) => n));
    await other.close();
  });

  test('a replay comes after the answer to its subscribe, also in a batch', async () => {
    const other = await rawConnect(gateway.url);
    for (let n = 0; n < 5; n++) await client.call('publish', { channel: 'audit', topic: 'a.b', message: n });
    other.send([
      {
        jsonrpc: '2.0',
        id: 'sub',
        method: 'subscribe',
        params: { channel: 'audit', topic: 'a.*', from: 'earliest' },
      },
      {
        jsonrpc: '2.0',
        id: 'slow',
        method: 'appendEvents',
        params: { storeId: 'default', streamId: 'slow', events: [event(1)] },
      },
    ]);
    await other.until(() => other.notices.some(({ method }) => method === 'replayed'));
    expect(
      other.texts.slice(1).map((text) => (text.startsWith('[') ? 'answer' : JSON.parse(text).method)),
    ).toEqual(['answer', ...Array.from({ length: 5 }, () => 'message'), 'replayed']);
    await other.close();
  });
});

test('while 100 appends are in flight every kind of invalid input gets a clear error, and all appends are answered', async () => {
  const other = await rawConnect(gateway.url);
  const appends = Array.from({ length: 100 }, (_, n) =>
    other.call('appendEvents', { storeId: 'default', streamId: `flight-${n % 10}`, events: [event(n)] }),
  );
  const store = other.call('getVersion', { storeId: 'nowhere', streamId: 'a' });
  const large = other.call('publish', { channel: 'events', topic: 'a', message: 'x'.repeat(2 * 1_048_576) });
  const largeEvent = other.call('appendEvents', {
    storeId: 'default',
    streamId: 'large',
    events: [{ type: 't', data: 'x'.repeat(2 * 1_048_576) }],
  });
  const topic = other.call('publish', { channel: 'events', topic: 'a..b', message: 1 });
  const channel = other.call('publish', { channel: 'nonsense', topic: 'a', message: 1 });
  other.send('{"jsonrpc":"2.0","id":');
  const codes = await Promise.all([store, large, largeEvent, topic, channel]);
  expect(codes.map(({ error }) => error?.data.code)).toEqual([
    'store_not_found',
    'payload_too_large',
    'payload_too_large',
    'invalid_argument',
    'unknown_channel',
  ]);
  expect(codes[3]?.error).toMatchObject({
    code: -32602,
    message: expect.stringContaining('topic') as string,
  });
  await other.until(() => other.texts.some((text) => text.includes('-32700')));
  const answers = await Promise.all(appends);
  expect(answers.every(({ result }) => (result as { count: number }).count === 1)).toBe(true);
  await other.close();
});

describe('health', () => {
  test('health names every store, its workers and this node', async () => {
    const { result } = await client.call('health');
    expect(result).toMatchObject({
      status: 'degraded',
      stores: {
        default: { status: 'healthy' },
        scratch: { status: 'healthy' },
        afar: { status: 'unhealthy', workers: [] },
      },
      nodes: [{ nodeId: gateway.nodeId, url: gateway.url }],
    });
  });

  test('quickHealthCheck counts live workers and distinguishes an unknown store from one without workers', async () => {
    expect((await client.call('quickHealthCheck', { storeId: 'default' })).result).toEqual({ workers: 1 });
    expect((await client.call('quickHealthCheck', { storeId: 'afar' })).error?.data.code).toBe('no_workers');
    expect((await client.call('quickHealthCheck', { storeId: 'nowhere' })).error?.data.code).toBe(
      'store_not_found',
    );
  });
});
