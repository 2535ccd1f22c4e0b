import { CountingController, countCalls } from '@esdb-gater/primitives/testing';
import { countReach, fc } from '@esdb-gater/property-testing';
import { withRetry } from '@esdb-gater/retry';
import { attach, detach } from '@esdb-gater/telemetry';
import { GaterError, type Registry, type RegistryEvent, type StoreMethod } from '@esdb-gater/types';
import { afterEach, describe, expect, test } from 'vitest';
import { fakeWorker, STREAM } from '../tests/fake-worker.ts';
import { createRegistry } from './registry.ts';

const picks = (registry: Registry, count: number, method?: StoreMethod): string[] =>
  Array.from({ length: count }, () => registry.pick('default', method).workerId);

async function collect<T>(events: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const event of events) all.push(event);
  return all;
}

describe('picking', () => {
  test('never again: 12 fresh callers all getting the same worker', () => {
    const registry = createRegistry();
    for (const id of ['a', 'b', 'c']) registry.register(fakeWorker(id));
    const callers = Array.from({ length: 12 }, () => () => registry.pick('default').workerId);
    expect(callers.map((caller) => caller()).join('')).toBe('abcabcabcabc');
  });

  test('registries that draw their first turn do not all begin with the same worker', () => {
    const first = (draw: number): string => {
      const registry = createRegistry({ random: () => draw });
      for (const id of ['a', 'b', 'c']) registry.register(fakeWorker(id));
      return picks(registry, 3).join('');
    };
    expect(new Set([0, 0.000_001, 0.000_002].map(first)).size).toBe(3);
  });

  test('the state of an ejected worker tells its failures and how long it stays away', async () => {
    const registry = createRegistry({}, { maxFailures: 2 });
    const [sound, failing] = [fakeWorker('a'), fakeWorker('b')];
    for (const worker of [sound, failing]) registry.register(worker);
    failing.behave(new GaterError('unavailable', 'no'));
    for (let call = 0; call < 4; call++) {
      await registry
        .pick('default')
        .call('getVersion', STREAM)
        .catch(() => undefined);
    }
    expect(registry.states('default')).toMatchObject([
      { workerId: 'a', live: true, failures: 0, ejectedForMs: 0 },
      { workerId: 'b', live: false, failures: 2, ejectedForMs: 1_000 },
    ]);
    expect(registry.states().length).toBe(2);
    expect(registry.states('other')).toEqual([]);
    registry.close();
  });

  test('round robin continues when workers are added and removed', () => {
    const registry = createRegistry();
    for (const id of ['a', 'b', 'c']) registry.register(fakeWorker(id));
    picks(registry, 4);
    registry.register(fakeWorker('d'));
    const after = picks(registry, 400);
    for (const id of ['a', 'b', 'c', 'd']) expect(after.filter((one) => one === id)).toHaveLength(100);
    registry.unregister('default', 'b');
    expect(new Set(picks(registry, 3))).toEqual(new Set(['a', 'c', 'd']));
  });

  test('a worker of this node is preferred; without one, others are picked', () => {
    const registry = createRegistry({}, { nodeId: 'here' });
    registry.register(fakeWorker('far', { nodeId: 'there' }));
    expect(picks(registry, 2)).toEqual(['far', 'far']);
    registry.register(fakeWorker('near', { nodeId: 'here' }));
    expect(picks(registry, 3)).toEqual(['near', 'near', 'near']);
    registry.unregister('default', 'near');
    expect(picks(registry, 1)).toEqual(['far']);
  });

  test('the policy round-robin takes local and remote workers alike', () => {
    const registry = createRegistry({}, { nodeId: 'here', policy: 'round-robin' });
    registry.register(fakeWorker('far', { nodeId: 'there' }));
    registry.register(fakeWorker('near', { nodeId: 'here' }));
    expect(picks(registry, 4)).toEqual(['far', 'near', 'far', 'near']);
  });

  test('only workers that serve the method are picked', () => {
    const registry = createRegistry();
    registry.register(fakeWorker('a'));
    registry.register(fakeWorker('b', { methods: ['getVersion', 'deleteStream'] }));
    registry.register(fakeWorker('c', { methods: ['getVersion', 'deleteStream'] }));
    expect(new Set(picks(registry, 6, 'deleteStream'))).toEqual(new Set(['b', 'c']));
    expect(new Set(picks(registry, 6, 'getVersion'))).toEqual(new Set(['a', 'b', 'c']));
    expect(() => registry.pick('default', 'verifyStream')).toThrow(
      expect.objectContaining({ code: 'not_supported', storeId: 'default', method: 'verifyStream' }),
    );
    registry.unregister('default', 'b');
    registry.unregister('default', 'c');
    expect(() => registry.pick('default', 'deleteStream')).toThrow(
      expect.objectContaining({ code: 'not_supported' }),
    );
  });

  test('a store that was never known is store_not_found, a known one without a worker no_workers', () => {
    const registry = createRegistry();
    expect(() => registry.pick('default')).toThrow(expect.objectContaining({ code: 'store_not_found' }));
    registry.declare('default');
    expect(() => registry.pick('default')).toThrow(expect.objectContaining({ code: 'no_workers' }));
    expect(() => registry.pick('default', 'getVersion')).toThrow(
      expect.objectContaining({ code: 'no_workers' }),
    );
    registry.register(fakeWorker('a', { storeId: 'other' }));
    registry.unregister('other', 'a');
    expect(() => registry.pick('other')).toThrow(expect.objectContaining({ code: 'no_workers' }));
    expect(() => registry.pick('__proto__')).toThrow(expect.objectContaining({ code: 'store_not_found' }));
    expect(registry.stores()).toEqual(['default']);
  });

  test('watchers are told when an absent store is removed because others need its place [R27]', async () => {
    const registry = createRegistry();
    const events = registry.watch()[Symbol.asyncIterator]();
    const stores = Array.from({ length: 101 }, (_, n) => `store-${n}`);
    const told: string[] = [];
    for (const storeId of stores) {
      registry.register(fakeWorker('a', { storeId }));
      registry.unregister(storeId, 'a', undefined, false);
    }
    registry.register(fakeWorker('end'));
    for (let event = await events.next(); !event.done; event = await events.next()) {
      if (event.value.worker.workerId === 'end') break;
      if (event.value.kind === 'forgotten') told.push(event.value.worker.storeId);
    }
    expect(told).toEqual(['store-0']);
    expect(registry.stores()).toEqual([...stores.slice(1), 'default']);
  });

  test('a store that only workers registered is removed with its last worker, but its name is remembered [R27]', () => {
    const registry = createRegistry();
    registry.declare('kept');
    for (let n = 0; n < 4_000; n++) {
      for (const storeId of ['kept', `store-${n}`]) {
        registry.register(fakeWorker('a', { storeId }));
        registry.register(fakeWorker('b', { storeId }));
        registry.unregister(storeId, 'a');
        expect(registry.stores()).toContain(storeId);
        registry.unregister(storeId, 'b');
      }
    }
    expect(registry.stores()).toEqual(['kept']);
    const codeOf = (storeId: string): unknown => {
      try {
        return registry.pick(storeId).workerId;
      } catch (error) {
        return (error as GaterError).code;
      }
    };
    expect(['kept', 'store-3999', 'store-3000', 'never'].map(codeOf)).toEqual([
      'no_workers',
      'no_workers',
      'no_workers',
      'store_not_found',
    ]);
    // The names are bounded, too.
    expect(codeOf('store-0')).toBe('store_not_found');
    registry.register(fakeWorker('c', { storeId: 'store-3999' }));
    expect(codeOf('store-3999')).toBe('c');
  });

  test('a store whose last worker disconnected is known until its worker returns; 100 such stores are [R27]', () => {
    const registry = createRegistry();
    registry.declare('kept');
    const disconnect = (storeId: string): void => {
      registry.register(fakeWorker('a', { storeId }));
      expect(registry.unregister(storeId, 'a', 1, false)).toBe(true);
    };
    disconnect('kept');
    for (let n = 0; n < 100; n++) disconnect(`store-${n}`);
    expect(registry.stores()).toHaveLength(101);
    // The one that has just been seen again is the last to go, one that has a worker stays.
    disconnect('store-0');
    registry.register(fakeWorker('a', { storeId: 'store-1' }));
    for (let n = 100; n < 102; n++) disconnect(`store-${n}`);
    expect(registry.stores()).not.toContain('store-2');
    for (const storeId of ['kept', 'store-0', 'store-1', 'store-3', 'store-101']) {
      expect(registry.stores()).toContain(storeId);
    }
    expect(() => registry.pick('store-2')).toThrow(expect.objectContaining({ code: 'no_workers' }));
    // Unregistered in order, it is not waited for.
    registry.register(fakeWorker('a', { storeId: 'store-3' }));
    registry.unregister('store-3', 'a');
    expect(registry.stores()).not.toContain('store-3');
  });

  test('a picked worker passes calls to the registered worker', async () => {
    const registry = createRegistry();
    registry.register(fakeWorker('a'));
    expect(await registry.pick('default').call('getVersion', STREAM)).toEqual({ by: 'a' });
  });

  test('a lookup among 1 000 workers looks at the methods of each worker once, not for each call', () => {
    const registry = createRegistry();
    for (let i = 0; i < 1_000; i++) registry.register(fakeWorker(`w${i}`));
    const picked = new Set<string>();
    const pick = (times: number): number =>
      countCalls(Array.prototype, ['includes', 'filter'], () => {
        for (let n = 0; n < times; n++) picked.add(registry.pick('default', 'getVersion').workerId);
      });
    expect(pick(1)).toBeGreaterThanOrEqual(1_000);
    expect(pick(5_000)).toBe(0);
    expect(picked.size).toBe(1_000);
  });
});

describe('registering', () => {
  test('never again: double registration', () => {
    const registry = createRegistry();
    const worker = fakeWorker('a');
    registry.register(worker);
    registry.register(worker);
    registry.register(fakeWorker('a'));
    expect(registry.workers()).toHaveLength(1);
    registry.register(fakeWorker('b'));
    expect(picks(registry, 4).sort()).toEqual(['a', 'a', 'b', 'b']);
  });

  test('never again: unregistering an unknown worker crashing the registry', () => {
    const registry = createRegistry();
    expect(registry.unregister('nowhere', 'nobody')).toBe(false);
    registry.register(fakeWorker('a'));
    expect(registry.unregister('default', 'nobody')).toBe(false);
    expect(registry.unregister('default', 'a')).toBe(true);
    expect(registry.unregister('default', 'a')).toBe(false);
  });

  test('never again: only local workers counted', async () => {
    const registry = createRegistry({}, { nodeId: 'here' });
    registry.register(fakeWorker('near', { nodeId: 'here' }));
    registry.register(fakeWorker('far', { nodeId: 'there' }));
    expect(registry.workers('default').map(({ workerId }) => workerId)).toEqual(['near', 'far']);
    expect(await registry.probe('default')).toHaveLength(2);
  });

  test('a worker may serve several stores, with one registration for each', () => {
    const registry = createRegistry();
    for (const storeId of ['one', 'two']) registry.register(fakeWorker('a', { storeId, storeUuid: storeId }));
    registry.unregister('one', 'a');
    expect(registry.workers('one')).toEqual([]);
    expect(registry.workers().map(({ storeId }) => storeId)).toEqual(['two']);
  });

  test('a higher incarnation replaces a lower one, which is fenced [F15]', async () => {
    const registry = createRegistry();
    registry.register(fakeWorker('a', { incarnation: 1 }));
    const before = registry.pick('default');
    expect(registry.register(fakeWorker('a', { incarnation: 2 })).incarnation).toBe(2);
    expect(registry.workers()).toMatchObject([{ workerId: 'a', incarnation: 2 }]);
    await expect(before.call('getVersion', STREAM)).rejects.toMatchObject({
      code: 'unavailable',
      workerId: 'a',
    });
    await expect(registry.pick('default').call('getVersion', STREAM)).resolves.toEqual({ by: 'a' });
  });

  test('a call with a deadline reaches the worker with its trace, its deadline, and a signal', async () => {
    const registry = createRegistry();
    const worker = fakeWorker('a');
    const seen: unknown[] = [];
    registry.register({
      ...worker,
      call: ((_method, _params, context) => {
        seen.push(context);
        return Promise.resolve({});
      }) as typeof worker.call,
    });
    const context = { deadlineMs: 50, traceparent: '00-x', tracestate: 'a=1' };
    await registry.pick('default').call('getVersion', STREAM, context);
    await registry.pick('default').call('getVersion', STREAM, { traceparent: '00-x' });
    expect(seen).toEqual([{ ...context, signal: expect.any(AbortSignal) }, { traceparent: '00-x' }]);
  });

  test('an aborted signal ends a call before the worker is asked', async () => {
    const registry = createRegistry();
    const worker = fakeWorker('a');
    registry.register(worker);
    const call = registry.pick('default').call('getVersion', STREAM, { signal: AbortSignal.abort('before') });
    await expect(call).rejects.toBe('before');
    expect(worker.calls).toEqual([]);
  });

  test('an error that a worker throws at once is the error of the call', async () => {
    const registry = createRegistry();
    const throws = (): never => {
      throw new GaterError('overloaded', 'busy');
    };
    registry.register({ ...fakeWorker('a'), call: throws });
    for (const context of [{}, { deadlineMs: 10 }]) {
      await expect(registry.pick('default').call('getVersion', STREAM, context)).rejects.toMatchObject({
        code: 'overloaded',
      });
    }
  });

  test('a lower incarnation that arrives after a higher one is ignored [F15]', () => {
    const registry = createRegistry();
    registry.register(fakeWorker('a', { incarnation: 2 }));
    expect(registry.register(fakeWorker('a', { incarnation: 1 })).incarnation).toBe(2);
    expect(registry.workers()).toMatchObject([{ incarnation: 2 }]);
  });

  test('the end of an old connection does not unregister the worker that came back [F15]', () => {
    const registry = createRegistry();
    registry.register(fakeWorker('a', { incarnation: 1 }));
    registry.register(fakeWorker('a', { incarnation: 2 }));
    expect(registry.unregister('default', 'a', 1)).toBe(false);
    expect(registry.workers()).toHaveLength(1);
    expect(registry.unregister('default', 'a', 2)).toBe(true);
  });

  test('in any order of registrations, the highest incarnation that was not unregistered stays', () => {
    const reach = countReach({ left: 50, stale: 50 });
    const step = fc.record({ incarnation: fc.integer({ min: 1, max: 5 }), leaves: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const registry = createRegistry();
        let expected: number | undefined;
        for (const { incarnation, leaves } of steps) {
          if (leaves) {
            expect(registry.unregister('default', 'a', incarnation)).toBe(expected === incarnation);
            if (expected !== incarnation) continue;
            reach.count('left');
            expected = undefined;
          } else {
            registry.register(fakeWorker('a', { incarnation }));
            if (expected !== undefined && expected > incarnation) reach.count('stale');
            expected = Math.max(expected ?? 0, incarnation);
          }
          expect(registry.workers().map((worker) => worker.incarnation)).toEqual(expected ? [expected] : []);
        }
      }),
    );
    reach.check();
  });

  test.each([
    ['another storeUuid', 'uuid-1', 'uuid-2'],
    ['none, beside one that has one', 'uuid-1', undefined],
    ['one, beside one that has none', undefined, 'uuid-1'],
    ['none, beside one that has none', undefined, undefined],
  ])('a second worker with %s is a store_mismatch', (_, first, second) => {
    const registry = createRegistry();
    registry.register(fakeWorker('a', { storeUuid: first }));
    expect(() => registry.register(fakeWorker('b', { storeUuid: second }))).toThrow(
      expect.objectContaining({ code: 'invalid_argument', reason: 'store_mismatch', storeId: 'default' }),
    );
    expect(registry.workers()).toHaveLength(1);
    registry.unregister('default', 'a');
    registry.register(fakeWorker('b', { storeUuid: second }));
  });

  test('the only worker of a store may return with another storeUuid, or without one', () => {
    const registry = createRegistry();
    registry.register(fakeWorker('a', { storeUuid: undefined }));
    registry.register(fakeWorker('a', { storeUuid: undefined, incarnation: 2 }));
    registry.register(fakeWorker('a', { storeUuid: 'uuid-2', incarnation: 3 }));
    expect(registry.workers()).toMatchObject([{ storeUuid: 'uuid-2' }]);
  });

  test.each([
    ['storeId', { storeId: 'no store' }],
    ['workerId', { workerId: '' }],
    ['nodeId', { nodeId: 'a\nb' }],
    ['incarnation', { incarnation: 0.5 }],
    ['call', { call: undefined as never }],
  ])('a wrong %s is refused by name and makes no store known', (member, wrong) => {
    const registry = createRegistry();
    expect(() => registry.register({ ...fakeWorker('a'), ...wrong })).toThrow(
      expect.objectContaining({ code: 'invalid_argument', reason: 'worker', member }),
    );
    expect(registry.stores()).toEqual([]);
  });

  test('the information about a worker does not expose its `call`', () => {
    const registry = createRegistry();
    const info = registry.register(fakeWorker('a'));
    expect(Object.keys(info).sort()).toEqual(
      ['incarnation', 'nodeId', 'registeredAt', 'storeId', 'storeUuid', 'workerId'].sort(),
    );
    expect(Object.isFrozen(info)).toBe(true);
  });
});

describe('retrying over the registry', () => {
  test('each attempt picks a worker again, so that one failing worker does not fail the call', async () => {
    const registry = createRegistry();
    const [failing, sound] = [fakeWorker('a'), fakeWorker('b')];
    failing.behave(new GaterError('unavailable', 'gone'));
    registry.register(failing);
    registry.register(sound);
    const results = await Promise.all(
      Array.from({ length: 4 }, () =>
        withRetry((_, signal) => registry.pick('default').call('getVersion', STREAM, { signal }), {
          baseDelayMs: 0,
        }),
      ),
    );
    expect(results).toEqual(Array(4).fill({ by: 'b' }));
  });
});

describe('telemetry', () => {
  afterEach(() => {
    detach('test');
  });

  test('registration, lookup and unregistration emit events; a replacement emits both', () => {
    const seen: unknown[] = [];
    attach('test', (event, measurements, metadata) =>
      seen.push([event, Object.keys(measurements), metadata]),
    );
    const registry = createRegistry();
    registry.register(fakeWorker('a'));
    registry.pick('default');
    registry.register(fakeWorker('a', { incarnation: 2 }));
    registry.unregister('default', 'a');
    const registered = [
      'esdb_gater.worker.registered',
      ['system_time'],
      { store_id: 'default', node: 'node-a', pid: 'a' },
    ];
    const unregistered = [
      'esdb_gater.worker.unregistered',
      ['system_time'],
      { store_id: 'default', pid: 'a' },
    ];
    const lookup = ['esdb_gater.worker.lookup', ['duration'], { store_id: 'default' }];
    expect(seen).toEqual([registered, lookup, unregistered, registered, unregistered]);
  });
});

describe('watching', () => {
  const kinds = (events: readonly RegistryEvent[]): string[] =>
    events.map(({ kind, worker }) => `${kind} ${worker.workerId}`);

  test('yields all changes after the call, until the signal aborts', async () => {
    const registry = createRegistry();
    registry.register(fakeWorker('before'));
    const controller = new AbortController();
    const watcher = registry.watch({ signal: controller.signal });
    registry.register(fakeWorker('a'));
    registry.unregister('default', 'a');
    const seen: RegistryEvent[] = [];
    for await (const event of watcher) {
      seen.push(event);
      if (seen.length === 2) controller.abort();
    }
    expect(kinds(seen)).toEqual(['registered a', 'unregistered a']);
  });

  test('a reader that waits is woken, and ended by the close of the registry', async () => {
    const registry = createRegistry();
    const reading = collect(registry.watch());
    await Promise.resolve();
    registry.register(fakeWorker('a'));
    registry.close();
    expect(kinds(await reading)).toEqual(['registered a']);
    expect(await collect(registry.watch())).toEqual([]);
  });

  test('yields nothing when the signal has already aborted', async () => {
    expect(await collect(createRegistry().watch({ signal: AbortSignal.abort() }))).toEqual([]);
  });

  test('leaving the loop leaves no listener behind', async () => {
    const registry = createRegistry();
    const controller = new CountingController();
    const watcher = registry.watch({ signal: controller.signal });
    expect(controller.listeners).toBe(1);
    registry.register(fakeWorker('a'));
    for await (const _ of watcher) break;
    expect(controller.listeners).toBe(0);
  });

  test('a reader that falls far behind gets an error, so that memory stays bounded', async () => {
    const registry = createRegistry();
    const watcher = registry.watch()[Symbol.asyncIterator]();
    for (let i = 0; i < 3_000; i++) {
      registry.register(fakeWorker('a'));
      registry.unregister('default', 'a');
    }
    await expect(watcher.next()).rejects.toMatchObject({ code: 'overloaded' });
    expect(await watcher.next()).toEqual({ done: true, value: undefined });
  });
});

test.each([
  ['policy', { policy: 'random' as 'round-robin' }],
  ['maxFailures', { maxFailures: 0 }],
  ['ejectBaseMs', { ejectBaseMs: -1 }],
  ['ejectBaseMs', { ejectBaseMs: 0 }],
  ['ejectMaxMs', { ejectMaxMs: 2_147_483_648 }],
  ['probeTimeoutMs', { probeTimeoutMs: Number.NaN }],
])('a wrong %s is refused by name', (member, options) => {
  expect(() => createRegistry({}, options)).toThrow(
    expect.objectContaining({ reason: 'registry_options', member }),
  );
});
