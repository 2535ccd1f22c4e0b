import { createFakeClock } from '@esdb-gater/primitives/testing';
import { GaterError } from '@esdb-gater/types';
import { expect, test } from 'vitest';
import { createMemoryStore } from './memory-store.ts';
import { createStoreWorker } from './store-worker.ts';

const clock = createFakeClock(1_234);

function worker() {
  const store = createMemoryStore({ storeId: 'main' });
  return { store, worker: createStoreWorker(store, { nodeId: 'n1', workerId: 'w1', clock }) };
}

test('a worker tells its identity and the identity of its data', () => {
  const { store, worker: served } = worker();
  const { storeId, storeUuid, workerId, nodeId, incarnation, registeredAt } = served;
  expect({ storeId, storeUuid, workerId, nodeId, incarnation, registeredAt }).toEqual({
    storeId: 'main',
    storeUuid: store.storeUuid,
    workerId: 'w1',
    nodeId: 'n1',
    incarnation: 1_234,
    registeredAt: 1_234,
  });
  expect(served.methods).toEqual(store.methods);
});

test('a call of a method by name does what the store does', async () => {
  const { worker: served } = worker();
  const at = { storeId: 'main', streamId: 's' };
  const result = await served.call('appendEvents', { ...at, events: [{ type: 't', data: 1 }] });
  expect(result).toMatchObject({ version: 0, position: 1 });
  expect(await served.call('getVersion', at)).toEqual({ version: 0 });
  expect(await served.call('quickHealthCheck', { storeId: 'main' })).toEqual({});
});

test('every method that the store names can be called', async () => {
  const { store, worker: served } = worker();
  for (const method of store.methods) {
    const error = await served
      .call(method as 'quickHealthCheck', { storeId: 'main' })
      .catch((reason: unknown) => reason);
    if (GaterError.is(error)) expect(error.code, method).not.toBe('not_supported');
  }
});

test.each([
  'constructor',
  '__proto__',
  'toString',
  'hasOwnProperty',
  'close',
  'onCommitted',
  'saveSubscription',
  'methods',
  '',
])('a method that is not served is not_supported: %j', async (method) => {
  await expect(worker().worker.call(method as 'quickHealthCheck', { storeId: 'main' })).rejects.toMatchObject(
    { code: 'not_supported' },
  );
});

test('a method that the store does not name is not_supported although the table has it', async () => {
  const { store } = worker();
  const narrow = new Proxy(store, {
    get: (target, name) => (name === 'methods' ? ['getVersion'] : Reflect.get(target, name)),
  });
  const served = createStoreWorker(narrow, { nodeId: 'n1' });
  expect(served.methods).toEqual(['getVersion']);
  await expect(served.call('readAll', { storeId: 'main' })).rejects.toMatchObject({ code: 'not_supported' });
});

test('parameters that are not an object are invalid_argument', async () => {
  for (const params of [undefined, null, 1, 'x']) {
    await expect(worker().worker.call('readAll', params as never)).rejects.toMatchObject({
      code: 'invalid_argument',
    });
  }
});

test('whatever a store throws arrives as a GaterError', async () => {
  const { store } = worker();
  const broken = new Proxy(store, {
    get: (target, name) =>
      name === 'readAll' ? () => Promise.reject(new RangeError('mine')) : Reflect.get(target, name),
  });
  const call = createStoreWorker(broken, { nodeId: 'n1' }).call('readAll', { storeId: 'main' });
  await expect(call).rejects.toMatchObject({ code: 'internal' });
});

test('a worker passes on the commits of its store', async () => {
  const { store, worker: served } = worker();
  const heard: number[] = [];
  const detach = served.onCommitted?.((position) => heard.push(position));
  const params = { storeId: 'main', streamId: 's', events: [{ type: 't', data: 1 }] };
  await store.appendEvents(params);
  detach?.();
  await store.appendEvents({ ...params, events: [{ type: 't', data: 2 }] });
  expect(heard).toEqual([1]);
});
