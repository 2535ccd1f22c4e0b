import { type CallContext, GaterError } from '@esdb-gater/types';
import { describe, expect, test } from 'vitest';
import { connect, type ServedWorker, serveWorker } from '../src/index.ts';
import { FakeGateway, turns } from './fake-gateway.ts';

class FakeWorker implements ServedWorker {
  readonly storeId = 's';
  readonly storeUuid = 'uuid';
  readonly methods: readonly string[] = ['appendEvents', 'getEvents'];
  readonly calls: { method: string; params: unknown; context: CallContext | undefined }[] = [];
  readonly listeners = new Set<(position: number) => void>();

  async call(method: string, params: unknown, context?: CallContext): Promise<unknown> {
    this.calls.push({ method, params, context });
    if (method === 'getVersion') throw new GaterError('stream_deleted', 'gone');
    return { served: method };
  }

  onCommitted(listener: (position: number) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }
}

async function setUp() {
  const gateway = new FakeGateway();
  gateway.answers.set('registerWorker', () => ({ workerId: 'w1', nodeId: 'n' }));
  gateway.answers.set('unregisterWorker', () => ({ removed: true }));
  gateway.answers.set('committed', () => ({}));
  const client = await connect(
    'ws://gateway',
    { retry: { baseDelayMs: 0 } },
    { openSocket: gateway.openSocket },
  );
  const worker = new FakeWorker();
  const peer = () => {
    const [connection] = gateway.connections;
    if (connection === undefined) throw new Error('no connection');
    return connection.peer;
  };
  const called = (method: string) =>
    gateway.calls.flatMap((call) => (call.method === method ? [call.params] : []));
  return { gateway, client, worker, peer, called };
}

describe('serveWorker', () => {
  test('registers, answers the gateway, and unregisters', async () => {
    const { client, worker, peer, called } = await setUp();
    const served = await serveWorker(client.connection, worker);
    expect(called('registerWorker')).toEqual([{ storeId: 's', storeUuid: 'uuid', methods: worker.methods }]);
    expect(served.workerId).toBe('w1');
    const stream = { storeId: 's', streamId: 'a' };
    const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
    expect(await peer().call('getEvents', { ...stream, deadlineMs: 1_500 }, { traceparent })).toEqual({
      served: 'getEvents',
    });
    expect(worker.calls[0]).toMatchObject({ params: stream, context: { deadlineMs: 1_500, traceparent } });
    expect(worker.calls[0]?.params).not.toHaveProperty('deadlineMs');
    await expect(peer().call('getVersion', stream)).rejects.toMatchObject({ code: 'stream_deleted' });
    await served.close();
    expect(called('unregisterWorker')).toEqual([{ storeId: 's', workerId: 'w1' }]);
    await expect(peer().call('getEvents', stream)).rejects.toMatchObject({ code: 'unavailable' });
    await client.close();
  });

  test('what a newer gateway asks in parameters that are not known is refused, not ignored', async () => {
    const { client, worker, peer } = await setUp();
    await serveWorker(client.connection, worker);
    const asked = peer().call('getEvents', { storeId: 's', streamId: 'a', onlyIf: 1 });
    await expect(asked).rejects.toMatchObject({ code: 'invalid_argument', path: 'onlyIf' });
    expect(worker.calls).toEqual([]);
    await client.close();
  });

  test('ends when another program has replaced the worker, and does not register again [R4] [T28]', async () => {
    const { gateway, client, worker, peer, called } = await setUp();
    const served = await serveWorker(client.connection, worker);
    let ended = false;
    served.ended.catch(() => {
      ended = true;
    });
    peer().notify('replaced', { storeId: 's', workerId: 'another' });
    peer().notify('replaced', { storeId: 'another', workerId: 'w1' });
    await turns();
    expect(ended).toBe(false);
    peer().notify('replaced', { storeId: 's', workerId: 'w1' });
    await expect(served.ended).rejects.toMatchObject({
      code: 'invalid_argument',
      reason: 'store_mismatch',
      workerId: 'w1',
    });
    gateway.cut();
    await client.getVersion({ storeId: 's', streamId: 'a' }).catch(() => {});
    await served.close();
    expect(called('registerWorker')).toHaveLength(1);
    expect(called('unregisterWorker')).toEqual([]);
    await client.close();
  });

  test('registers again under its id after the connection broke', async () => {
    const { gateway, client, worker, called } = await setUp();
    await serveWorker(client.connection, worker);
    gateway.cut();
    for (let turn = 0; turn < 100 && called('registerWorker').length < 2; turn++) {
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    expect(called('registerWorker')[1]).toMatchObject({ workerId: 'w1' });
    await client.close();
  });

  test('commits of one turn are told once, by the newest position', async () => {
    const { client, worker, called } = await setUp();
    await serveWorker(client.connection, worker);
    for (const position of [1, 2, 3]) for (const listener of worker.listeners) listener(position);
    await turns(4);
    for (const listener of worker.listeners) listener(9);
    await turns(4);
    expect(called('committed')).toEqual([
      { storeId: 's', position: 3 },
      { storeId: 's', position: 9 },
    ]);
    await client.close();
  });

  test('a worker that the gateway refuses is not served', async () => {
    const { gateway, client, worker, peer } = await setUp();
    gateway.answers.set('registerWorker', () => {
      throw new GaterError('invalid_argument', 'another uuid', { details: { reason: 'store_mismatch' } });
    });
    await expect(serveWorker(client.connection, worker)).rejects.toMatchObject({ reason: 'store_mismatch' });
    await expect(peer().call('getEvents', { storeId: 's', streamId: 'a' })).rejects.toMatchObject({
      code: 'unavailable',
    });
    expect(worker.listeners.size).toBe(0);
    await client.close();
  });
});
