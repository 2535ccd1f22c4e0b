import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { startTestGateway, type TestGateway } from './support/in-process.ts';
import { type RawClient, type RpcRequest, rawConnect } from './support/raw-client.ts';

const SCRIPT = fileURLToPath(new URL('../../../examples/python-worker/worker.py', import.meta.url));

let gateway: TestGateway;
let client: RawClient;
beforeAll(async () => {
  gateway = await startTestGateway({
    stores: '{"default":{"engine":"memory"},"orders":{"engine":"remote"}}',
  });
  client = await rawConnect(gateway.url);
});
afterAll(async () => {
  await client.close();
  await gateway.close();
});

/** Resolves when the store has `count` live workers. */
async function workers(storeId: string, count: number): Promise<void> {
  await vi.waitFor(
    async () =>
      expect((await client.call('quickHealthCheck', { storeId })).result).toEqual({ workers: count }),
    { timeout: 20_000 },
  );
}

const event = (n: number) => ({ type: 'counted', data: { n }, tags: ['t'] });

describe('a worker in Python, with its standard library only', () => {
  let python: ChildProcess;
  beforeAll(async () => {
    python = spawn('python3', [SCRIPT, '--url', gateway.url, '--store', 'orders'], { stdio: 'ignore' });
    await workers('orders', 1);
  });
  afterAll(async () => {
    if (python.exitCode !== null || python.signalCode !== null) return;
    python.kill('SIGKILL');
    await once(python, 'exit');
  });

  test('serves appends and reads, with all their rules', async () => {
    const stream = { storeId: 'orders', streamId: 'order-1' };
    const id = '018f5e2c-0000-7000-8000-000000000001';
    const append = { ...stream, expectedVersion: -1, events: [{ ...event(1), id }, event(2)] };
    expect((await client.call('appendEvents', append)).result).toMatchObject({
      version: 1,
      count: 2,
      duplicate: false,
    });
    const stale = await client.call('appendEvents', { ...stream, expectedVersion: 7, events: [event(3)] });
    expect(stale.error?.data).toMatchObject({ code: 'wrong_expected_version', expected: 7, actual: 1 });
    expect((await client.call('streamBackward', stream)).result).toMatchObject({
      events: [{ data: { n: 2 } }, { data: { n: 1 }, id }],
    });
    expect((await client.call('getVersion', { ...stream, streamId: 'none' })).result).toEqual({
      version: -1,
    });
    expect((await client.call('getStreams', { storeId: 'orders' })).result).toEqual({ streams: ['order-1'] });
    expect((await client.call('readAll', { storeId: 'orders' })).result).toMatchObject({
      events: [{ position: 1 }, { position: 2 }],
      lastPosition: 2,
    });
  });

  test('has its events fed to the channel events, also those from before', async () => {
    await client.call('subscribe', { channel: 'events', topic: 'orders.>', from: 'earliest' });
    await client.call('appendEvents', { storeId: 'orders', streamId: 'order-2', events: [event(3)] });
    const fed = () =>
      client.notices.filter(
        ({ params }) => String(params['topic']).startsWith('orders.') && params['message'] !== undefined,
      );
    await client.until(() => fed().length >= 3);
    expect(fed().map(({ params }) => (params['message'] as { position: number }).position)).toEqual([
      1, 2, 3,
    ]);
  });

  test('is removed when it is killed', async () => {
    python.kill('SIGKILL');
    await once(python, 'exit');
    await expect
      .poll(async () => (await client.call('quickHealthCheck', { storeId: 'orders' })).error?.data.code)
      .toBe('no_workers');
    expect((await client.call('health')).result).toMatchObject({
      stores: { orders: { status: 'unhealthy', workers: [] } },
    });
  });
});

describe('a worker over WebSocket', () => {
  let worker: RawClient;
  let requests: RpcRequest[];
  let answer: (request: RpcRequest) => unknown;
  beforeEach(async () => {
    worker = await rawConnect(gateway.url);
    requests = [];
    answer = () => ({ version: 4 });
    worker.serve((request) => {
      requests.push(request);
      // The feed reads all the time.
      return request.method === 'readAll' ? { events: [], lastPosition: 0 } : answer(request);
    });
    return () => worker.close();
  });

  test('is asked with the caller parameters less the token, and the time that is left', async () => {
    await worker.call('registerWorker', { storeId: 'w1', workerId: 'one' });
    answer = () => ({ events: [], version: 4 });
    await client.call('streamBackward', { storeId: 'w1', streamId: 'a', count: 3 });
    const asked = requests.find(({ method }) => method === 'getEvents');
    expect(asked?.params).toEqual({
      storeId: 'w1',
      streamId: 'a',
      count: 3,
      direction: 'backward',
      deadlineMs: expect.any(Number) as number,
    });
    expect(asked?.params['deadlineMs']).toBeLessThanOrEqual(5_000);
  });

  test('without a uuid must be the only one of its store, and cannot serve the gateway’s own stores', async () => {
    await worker.call('registerWorker', { storeId: 'w2', workerId: 'one' });
    const other = await rawConnect(gateway.url);
    expect(
      (await other.call('registerWorker', { storeId: 'w2', workerId: 'two' })).error?.data,
    ).toMatchObject({ code: 'invalid_argument', reason: 'store_mismatch' });
    expect((await other.call('registerWorker', { storeId: 'default' })).error?.data).toMatchObject({
      reason: 'store_mismatch',
    });
    const { result } = await client.call('health');
    expect(result).toMatchObject({
      reasons: expect.arrayContaining([
        expect.objectContaining({ component: 'store:w2', code: 'store_mismatch' }),
      ]) as unknown,
    });
    await other.close();
  });

  test('shares the calls with others of its uuid, and leaves by unregisterWorker', async () => {
    const other = await rawConnect(gateway.url);
    let asked = 0;
    other.serve(({ method }) => {
      if (method === 'readAll') return { events: [], lastPosition: 0 };
      asked++;
      return { version: 4 };
    });
    const store = { storeId: 'w3', storeUuid: 'same' };
    for (const one of [worker, other]) await one.call('registerWorker', store);
    for (let n = 0; n < 10; n++) await client.call('getVersion', { storeId: 'w3', streamId: 'a' });
    // The feed is counted in the round robin, too.
    expect(asked).toBeGreaterThanOrEqual(3);
    expect(asked).toBeLessThanOrEqual(7);
    const before = asked;
    expect((await other.call('unregisterWorker', { storeId: 'w3' })).result).toEqual({ removed: true });
    expect((await other.call('unregisterWorker', { storeId: 'w3' })).result).toEqual({ removed: false });
    await client.call('getVersion', { storeId: 'w3', streamId: 'a' });
    expect(asked).toBe(before);
    await other.close();
  });

  test('that was replaced under its name does not remove its successor when its connection closes', async () => {
    const first = await rawConnect(gateway.url);
    first.serve(() => ({ events: [], lastPosition: 0 }));
    await first.call('registerWorker', { storeId: 'w4', workerId: 'name' });
    await worker.call('registerWorker', { storeId: 'w4', workerId: 'name' });
    await first.close();
    expect((await client.call('getVersion', { storeId: 'w4', streamId: 'a' })).result).toEqual({
      version: 4,
    });
  });

  test('that answers nonsense is not believed [T21]', async () => {
    await worker.call('registerWorker', { storeId: 'w5' });
    answer = () => ({ version: 'four' });
    expect((await client.call('getVersion', { storeId: 'w5', streamId: 'a' })).error?.data.code).toBe(
      'internal',
    );
  });

  test('that breaks in the middle of a call gives one definite answer [F14]', async () => {
    await worker.call('registerWorker', { storeId: 'w6' });
    answer = () => {
      worker.socket.terminate();
      return new Promise(() => undefined);
    };
    const { error } = await client.call('getVersion', { storeId: 'w6', streamId: 'a' });
    expect(['unavailable', 'no_workers', 'timeout', 'retries_exhausted']).toContain(error?.data.code);
  });

  test('wakes the feed by committed', async () => {
    const events: object[] = [];
    worker.serve(({ method, params }) =>
      method === 'readAll'
        ? {
            events: events.filter(
              (one) => (one as { position: number }).position > Number(params['after'] ?? 0),
            ),
            lastPosition: events.length,
          }
        : {},
    );
    await worker.call('registerWorker', { storeId: 'w7', storeUuid: 'u' });
    await client.call('subscribe', { channel: 'events', topic: 'w7.>' });
    const recorded = {
      id: '018f5e2c-0000-7000-8000-0000000000aa',
      type: 't',
      storeId: 'w7',
      streamId: 's',
      version: 0,
      position: 1,
      data: null,
      metadata: {},
      tags: [],
      timestamp: '2026-01-01T00:00:00.000Z',
      epochUs: 1_767_225_600_000_000,
    };
    events.push(recorded);
    worker.send({ jsonrpc: '2.0', method: 'committed', params: { storeId: 'w7', position: 1 } });
    await client.until(() => client.notices.some(({ params }) => params['topic'] === 'w7.s.t'));
  });
});
