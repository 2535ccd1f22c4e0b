import { createRegistry } from '@esdb-gater/registry';
import { type CallContext, GaterError, type Registry, type StoreWorker } from '@esdb-gater/types';
import { describe, expect, test } from 'vitest';
import { createGater } from './create-gater.ts';

type Serve = (method: string, params: unknown, context?: CallContext) => unknown;

function addStore(registry: Registry, storeId: string, workers: readonly Serve[]): Registry {
  registry.declare(storeId);
  for (const [index, serve] of workers.entries()) {
    registry.register({
      storeId,
      storeUuid: storeId,
      workerId: `w${index}`,
      nodeId: 'n',
      incarnation: 1,
      registeredAt: 0,
      methods: ['appendEvents', 'getEvents', 'readAll'],
      call: (async (method, params, context) => serve(method, params, context)) as StoreWorker['call'],
    });
  }
  return registry;
}

/** A registry of one store whose workers are functions, picked in turn. */
const registryOf = (workers: readonly Serve[]): Registry => addStore(createRegistry(), 's', workers);

const FAST = { baseDelayMs: 0, maxDelayMs: 0 };
const stream = { storeId: 's', streamId: 'a' };

describe('createGater', () => {
  test('validates, fills in ids and returns what the worker answers', async () => {
    const asked: unknown[] = [];
    const gater = createGater({ registry: registryOf([(_method, params) => asked.push(params)]) });
    await gater.appendEvents({
      ...stream,
      events: [{ type: 't', data: { gone: undefined, at: new Date(0) } as never }],
    });
    expect(asked).toEqual([
      {
        ...stream,
        events: [
          {
            type: 't',
            data: { at: '1970-01-01T00:00:00.000Z' },
            id: expect.stringMatching(/^[0-9a-f-]{36}$/),
          },
        ],
      },
    ]);
    await expect(gater.appendEvents({ ...stream, events: [] })).rejects.toMatchObject({ reason: 'events' });
  });

  test('a timed-out append written again carries the same ids', async () => {
    const ids: unknown[] = [];
    const serve: Serve = (_method, params) => {
      const [event] = (params as { events: { id: string }[] }).events;
      if (ids.push(event?.id) === 1) throw new GaterError('timeout', 'late');
      return {};
    };
    const gater = createGater({ registry: registryOf([serve]) }, { retry: FAST });
    await gater.appendEvents({ ...stream, events: [{ type: 't', data: 1 }] });
    expect(ids).toEqual([expect.any(String), ids[0]]);
  });

  test('health asks the workers, it does not count them', async () => {
    const dead: Serve = () => {
      throw new GaterError('unavailable', 'dead');
    };
    const some = createGater({ registry: registryOf([() => ({}), dead]) }, { nodeId: 'n' });
    expect(await some.health()).toEqual({
      status: 'degraded',
      reasons: [{ component: 'store:s', code: 'unavailable', message: 'w1 does not answer' }],
      stores: { s: { status: 'degraded', workers: [{ workerId: 'w0', nodeId: 'n' }] } },
      nodes: [{ nodeId: 'n', url: '', status: 'degraded' }],
    });
    expect(await some.quickHealthCheck({ storeId: 's' })).toEqual({ workers: 1 });
    const none = createGater({ registry: registryOf([dead]) });
    expect(await none.health()).toMatchObject({ status: 'unhealthy', reasons: [{ code: 'no_workers' }] });
    await expect(none.quickHealthCheck({ storeId: 's' })).rejects.toMatchObject({ code: 'no_workers' });
    await expect(none.quickHealthCheck({ storeId: 'x' })).rejects.toMatchObject({ code: 'store_not_found' });
  });

  test('is degraded, as a gateway is, when one store of two has no worker', async () => {
    const gater = createGater({ registry: addStore(registryOf([() => ({})]), 'afar', []) });
    expect(await gater.health()).toMatchObject({
      status: 'degraded',
      stores: { s: { status: 'healthy' }, afar: { status: 'unhealthy', workers: [] } },
    });
  });

  test('without channels what needs them is not supported, and so is what only gateways serve', async () => {
    const gater = createGater({ registry: registryOf([() => 1]) });
    const publish = { channel: 'events', topic: 'a', message: 1 } as const;
    for (const refused of [
      gater.publish(publish),
      gater.subscribe({ channel: 'events', topic: 'a' }),
      gater.channelInfo(),
      gater.followEvents({ storeId: 's' }),
      gater.saveSubscription({ storeId: 's', name: 'n', type: 'stream', selector: 'a' }),
    ]) {
      await expect(refused).rejects.toMatchObject({ code: 'not_supported' });
    }
  });

  test('timeoutMs and a signal end a call', async () => {
    const gater = createGater({ registry: registryOf([() => new Promise(() => {})]) });
    await expect(gater.getEvents(stream, { timeoutMs: 20 })).rejects.toMatchObject({ code: 'timeout' });
    const reason = new Error('enough');
    const abort = new AbortController();
    const asked = gater.getEvents(stream, { signal: abort.signal });
    abort.abort(reason);
    await expect(asked).rejects.toBe(reason);
    await gater.close();
    await expect(gater.getEvents(stream)).rejects.toMatchObject({ code: 'unavailable' });
  });
});
