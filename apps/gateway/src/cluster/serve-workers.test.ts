import { createRegistry } from '@esdb-gater/registry';
import type { CallContext, StoreWorker } from '@esdb-gater/types';
import { expect, test } from 'vitest';
import { serveLocalWorker } from './serve-workers.ts';

function open() {
  const contexts: (CallContext | undefined)[] = [];
  const registry = createRegistry({}, { nodeId: 'b' });
  const worker = (workerId: string, nodeId: string): StoreWorker => ({
    storeId: 'orders',
    storeUuid: 'uuid-1',
    workerId,
    nodeId,
    incarnation: 1,
    registeredAt: 0,
    methods: ['getVersion'],
    call: (async (_method: string, _params: unknown, context?: CallContext) => {
      contexts.push(context);
      return { version: 4 };
    }) as StoreWorker['call'],
  });
  registry.register(worker('w', 'b'));
  registry.register(worker('of-c', 'c'));
  const serve = async (method: string, params: object): Promise<unknown> =>
    serveLocalWorker({ registry, nodeId: 'b' }, method, params, {});
  return { contexts, serve };
}

const CALL = { storeId: 'orders', streamId: 's', workerId: 'w' };

test('a call of another node is served by the worker that it names, within the limit of the call', async () => {
  const { contexts, serve } = open();
  expect(await serve('getVersion', { ...CALL, deadlineMs: 70 })).toEqual({ version: 4 });
  expect(contexts).toMatchObject([{ deadlineMs: 70 }]);
});

test.each([
  ['of a third node', 'of-c'],
  ['that is not registered', 'gone'],
  ['that is not a text', 7],
])('a call for a worker %s is not passed on', async (_, workerId) => {
  const { contexts, serve } = open();
  await expect(serve('getVersion', { ...CALL, workerId })).rejects.toMatchObject({ code: 'unavailable' });
  expect(contexts).toEqual([]);
});

test.each(['publish', 'revokeToken', 'registerWorker', 'toString'])(
  '%s is not a call between nodes',
  async (method) => {
    await expect(open().serve(method, CALL)).rejects.toMatchObject({ code: 'not_supported' });
  },
);

test('a call for other data than the worker has by now is not served', async () => {
  const { contexts, serve } = open();
  const call = { ...CALL, deadlineMs: 70 };
  await expect(serve('getVersion', { ...call, storeUuid: 'uuid-2' })).rejects.toMatchObject({
    code: 'unavailable',
  });
  expect(contexts).toEqual([]);
  expect(await serve('getVersion', { ...call, storeUuid: 'uuid-1' })).toEqual({ version: 4 });
});

test('parameters that are not valid do not reach the worker', async () => {
  const { contexts, serve } = open();
  await expect(serve('getVersion', { ...CALL, streamId: 7 })).rejects.toMatchObject({
    code: 'invalid_argument',
  });
  expect(contexts).toEqual([]);
});
