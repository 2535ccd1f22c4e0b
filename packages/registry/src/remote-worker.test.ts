import { createFakeClock } from '@esdb-gater/primitives/testing';
import { type CallOptions, createPeer, createTransportPair, METHODS, type Peer } from '@esdb-gater/protocol';
import { type Clock, GaterError, systemClock } from '@esdb-gater/types';
import { describe, expect, test } from 'vitest';
import { STREAM } from '../tests/fake-worker.ts';
import { createRegistry } from './registry.ts';
import { createRemoteWorker, REQUIRED_METHODS, type RemoteWorkerOptions } from './remote-worker.ts';

const PARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

/** A worker over a peer that notes the calls and answers with `answer`. */
function noted(answer: unknown, options: Partial<RemoteWorkerOptions> = {}) {
  const calls: [method: string, params: unknown, options: CallOptions | undefined][] = [];
  const peer = {
    call: async (method: string, params: unknown, callOptions?: CallOptions) => {
      calls.push([method, params, callOptions]);
      if (answer instanceof Error) throw answer;
      return answer;
    },
  };
  const worker = createRemoteWorker({
    peer,
    storeId: 'default',
    workerId: 'far',
    nodeId: 'node-b',
    ...options,
  });
  return { calls, worker };
}

/** Connects a worker whose calls are answered by `handle`. */
function connected(handle: (method: string, params: unknown) => unknown, clock: Clock = systemClock) {
  const [one, other] = createTransportPair();
  const program: Peer = createPeer(other, { handle });
  const peer = createPeer(one, { clock });
  return { program, worker: createRemoteWorker({ peer, storeId: 'default', workerId: 'far', nodeId: 'b' }) };
}

describe('a remote worker', () => {
  test('serves the required methods and the ones that it names', () => {
    const required = Object.entries(METHODS)
      .filter(([, spec]) => spec.worker === 'required')
      .map(([name]) => name);
    expect([...REQUIRED_METHODS].sort()).toEqual(required.sort());
    const { worker } = noted({}, { methods: ['deleteStream', 'getEvents'] });
    expect(worker.methods).toEqual([...REQUIRED_METHODS, 'deleteStream']);
  });

  test('has the storeUuid that it names, and none otherwise', () => {
    expect(noted({}, { storeUuid: 'uuid-1' }).worker.storeUuid).toBe('uuid-1');
    expect(noted({}).worker.storeUuid).toBeUndefined();
    expect(noted({}, { incarnation: 7 }).worker.incarnation).toBe(7);
    expect(Object.isFrozen(noted({}).worker.methods)).toBe(true);
  });

  test("is sent the caller's parameters less the token, plus the time left", async () => {
    const { calls, worker } = noted({ version: 4 });
    const { signal } = new AbortController();
    const params = { storeId: 'default', streamId: 's', token: 'secret' };
    const context = { signal, deadlineMs: 1_234.5, traceparent: PARENT, tracestate: 'a=1' };
    expect(await worker.call('getVersion', params, context)).toEqual({ version: 4 });
    expect(calls).toEqual([
      [
        'getVersion',
        { storeId: 'default', streamId: 's', deadlineMs: 1_234 },
        { signal, timeoutMs: 1_234, traceparent: PARENT, tracestate: 'a=1' },
      ],
    ]);
    expect(params.token).toBe('secret');
  });

  test('a call without a deadline has one of five seconds', async () => {
    const { calls, worker } = noted({});
    await worker.call('quickHealthCheck', { storeId: 'default' });
    expect(calls[0]?.[1]).toEqual({ storeId: 'default', deadlineMs: 5_000 });
    expect(calls[0]?.[2]).toEqual({ timeoutMs: 5_000 });
  });

  test('time that has run out is sent as one millisecond', async () => {
    const { calls, worker } = noted({});
    await worker.call('quickHealthCheck', { storeId: 'default' }, { deadlineMs: -3 });
    expect(calls[0]?.[1]).toEqual({ storeId: 'default', deadlineMs: 1 });
  });

  test('a query calls `queryEvents` when the worker names that method, else `readAll`', async () => {
    const page = { events: [], lastPosition: 0 };
    const params = { storeId: 'default', query: { items: [{ types: ['a'] }] } };
    const plain = noted(page);
    await plain.worker.call('readAll', params);
    const naming = noted(page, { methods: ['queryEvents'] });
    await naming.worker.call('readAll', params);
    await naming.worker.call('readAll', { storeId: 'default' });
    expect([...plain.calls, ...naming.calls].map(([method]) => method)).toEqual([
      'readAll',
      'queryEvents',
      'readAll',
    ]);
  });

  test('an answer that the protocol does not allow is internal, and counts as a failure', async () => {
    const registry = createRegistry();
    registry.register(noted({ version: 'four' }).worker);
    const watcher = registry.watch()[Symbol.asyncIterator]();
    for (let i = 0; i < 3; i++) {
      const call = registry.pick('default').call('getVersion', { storeId: 'default', streamId: 's' });
      await expect(call).rejects.toMatchObject({ code: 'internal' });
    }
    expect((await watcher.next()).value).toMatchObject({ kind: 'ejected' });
    registry.close();
  });

  test('an error of the worker keeps its code and details', async () => {
    const { worker } = connected(() => {
      throw new GaterError('wrong_expected_version', 'no', {
        details: { streamId: 's', expected: 1, actual: 2 },
      });
    });
    await expect(worker.call('appendEvents', { ...STREAM, events: [] })).rejects.toMatchObject({
      code: 'wrong_expected_version',
      expected: 1,
      actual: 2,
    });
  });

  test('a closed connection is unavailable, before the call and during it', async () => {
    const { worker, program } = connected(() => new Promise(() => {}));
    const call = worker.call('getVersion', { storeId: 'default', streamId: 's' });
    program.close();
    await expect(call).rejects.toMatchObject({ code: 'unavailable' });
    await expect(worker.call('getVersion', STREAM)).rejects.toMatchObject({ code: 'unavailable' });
  });

  test('an unexpected error of the peer is unavailable, with the cause kept', async () => {
    const cause = new TypeError('socket');
    const call = noted(cause).worker.call('getVersion', STREAM);
    await expect(call).rejects.toMatchObject({ code: 'unavailable', workerId: 'far', cause });
  });

  test('rejects with the reason of the signal', async () => {
    const { worker } = connected(() => new Promise(() => {}));
    const controller = new AbortController();
    const call = worker.call('getVersion', STREAM, { signal: controller.signal });
    controller.abort('enough');
    await expect(call).rejects.toBe('enough');
  });

  test('an answer that does not come is a timeout', async () => {
    const clock = createFakeClock();
    const { worker } = connected(() => new Promise(() => {}), clock);
    const call = worker.call('getVersion', STREAM, { deadlineMs: 70 });
    const settled = expect(call).rejects.toMatchObject({ code: 'timeout' });
    clock.advance(70);
    await settled;
  });

  test('committed positions reach the listeners through the registry, only forward', () => {
    const registry = createRegistry();
    const { worker } = noted({});
    registry.register(worker);
    const [first, second]: number[][] = [[], []];
    const leave = registry.pick('default').onCommitted?.((position) => first?.push(position));
    registry.pick('default').onCommitted?.((position) => second?.push(position));
    for (const position of [3, 2, 3, 0.5, 9]) worker.committed(position);
    leave?.();
    worker.committed(10);
    expect([first, second]).toEqual([
      [3, 9],
      [3, 9, 10],
    ]);
  });

  test('a worker that registers again gets a higher incarnation by default', () => {
    const clock = createFakeClock();
    const { worker: earlier } = noted({}, { clock });
    clock.advance(5);
    expect(noted({}, { clock }).worker.incarnation).toBeGreaterThan(earlier.incarnation);
  });

  test('tells its listeners of each newer position, and position 0 when notifications may be missing', () => {
    const { worker } = noted({});
    const told: number[] = [];
    const stop = worker.onCommitted((position) => told.push(position));
    for (const position of [3, 3, 2, 5]) worker.committed(position);
    worker.missed();
    worker.committed(5);
    expect(told).toEqual([3, 5, 0]);
    stop();
    worker.missed();
    expect(told).toEqual([3, 5, 0]);
  });
});
