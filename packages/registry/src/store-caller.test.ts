import { createFakeClock } from '@esdb-gater/primitives/testing';
import { createPeer, createTransportPair } from '@esdb-gater/protocol';
import { attach, detach } from '@esdb-gater/telemetry';
import { type CallContext, GaterError, type Registry, type StoreWorker } from '@esdb-gater/types';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { createStoreCaller } from './store-caller.ts';

type Serve = (method: string, params: unknown, context?: CallContext) => unknown;

/** Creates a registry of one store with functions as workers, picked in turn. */
function registryOf(
  workers: readonly Serve[],
  methods: readonly string[] = ['appendEvents', 'getEvents', 'readAll'],
) {
  let turn = 0;
  const live = workers.map((serve, index) => ({
    storeId: 's',
    workerId: `w${index}`,
    nodeId: 'n',
    incarnation: 1,
    registeredAt: 0,
    methods,
    call: (async (method, params, context) => serve(method, params, context)) as StoreWorker['call'],
  }));
  const registry = {
    pick(storeId: string, method?: string): StoreWorker {
      const worker = live[turn++ % live.length];
      if (storeId !== 's') throw new GaterError('store_not_found', 'unknown');
      if (worker === undefined) throw new GaterError('no_workers', 'none');
      if (method !== undefined && !methods.includes(method)) throw new GaterError('not_supported', method);
      return worker;
    },
    workers: () => live,
    stores: () => ['s'],
    probe: async () => {
      const answers = await Promise.allSettled(
        live.map((worker) => worker.call('quickHealthCheck', { storeId: 's' })),
      );
      return live.filter((_, index) => answers[index]?.status === 'fulfilled');
    },
  };
  return registry as unknown as Registry;
}

const FAST = { baseDelayMs: 0, maxDelayMs: 0 };
const stream = { storeId: 's', streamId: 'a' };

describe('createStoreCaller', () => {
  test('each attempt picks a worker anew', async () => {
    const down = vi.fn(() => {
      throw new GaterError('unavailable', 'down');
    });
    const stores = createStoreCaller({ registry: registryOf([down, () => 'up']) }, FAST);
    expect(await stores.call('getEvents', stream)).toBe('up');
    expect(down).toHaveBeenCalledTimes(1);
  });

  test('a worker that hangs leaves time for another [F16]', async () => {
    const hangs: Serve = () => new Promise(() => {});
    const stores = createStoreCaller(
      { registry: registryOf([hangs, () => 'up']) },
      { ...FAST, attemptTimeoutMs: 20 },
    );
    expect(await stores.call('getEvents', stream)).toBe('up');
  });

  test('only retriable errors are retried: a version conflict is returned at once', async () => {
    const conflict = vi.fn(() => {
      throw new GaterError('wrong_expected_version', 'no', { details: { expected: 1, actual: 2 } });
    });
    const stores = createStoreCaller({ registry: registryOf([conflict]) }, FAST);
    await expect(stores.call('appendEvents', { ...stream, events: [] })).rejects.toMatchObject({ actual: 2 });
    expect(conflict).toHaveBeenCalledTimes(1);
  });

  test('after a timeout only idempotent methods are repeated', async () => {
    for (const [method, calls] of [
      ['deleteStream', 1],
      ['getEvents', 3],
    ] as const) {
      const late = vi.fn(() => {
        throw new GaterError('timeout', 'late');
      });
      const registry = registryOf([late], ['deleteStream', 'getEvents']);
      const stores = createStoreCaller({ registry }, { ...FAST, maxAttempts: 3 });
      const code = calls === 1 ? 'timeout' : 'retries_exhausted';
      await expect(stores.call(method, stream)).rejects.toMatchObject({ code });
      expect(late).toHaveBeenCalledTimes(calls);
    }
  });

  test('a method that is not idempotent is repeated after an answer, but not when the answer is missing', async () => {
    const registry = registryOf(
      [
        () => {
          throw new GaterError('overloaded', 'busy');
        },
        () => 'done',
      ],
      ['deleteStream'],
    );
    expect(await createStoreCaller({ registry }, FAST).call('deleteStream', stream)).toBe('done');
    const [here, there] = createTransportPair();
    createPeer(there, { handle: () => new Promise(() => {}) });
    const peer = createPeer(here, {});
    const calls: unknown[] = [];
    const lost = registryOf(
      [
        (method, params) => {
          calls.push(method);
          const call = peer.call(method, params);
          peer.close();
          return call;
        },
      ],
      ['deleteStream'],
    );
    await expect(
      createStoreCaller({ registry: lost }, FAST).call('deleteStream', stream),
    ).rejects.toMatchObject({
      code: 'unavailable',
    });
    expect(calls).toEqual(['deleteStream']);
  });

  test('a signal ends a call with its reason, and is heeded by the worker', async () => {
    const controller = new AbortController();
    let own: AbortSignal | undefined;
    const hangs: Serve = (_method, _params, context) => {
      own = context?.signal;
      return new Promise(() => {});
    };
    const stores = createStoreCaller({ registry: registryOf([hangs]) }, FAST);
    const call = stores.call('getEvents', stream, { signal: controller.signal });
    await Promise.resolve();
    controller.abort('enough');
    await expect(call).rejects.toBe('enough');
    expect(own?.reason).toBe('enough');
  });

  test('a call may have its own deadline', async () => {
    const clock = createFakeClock();
    const left: (number | undefined)[] = [];
    const hangs: Serve = (_method, _params, context) => {
      left.push(context?.deadlineMs);
      return new Promise(() => {});
    };
    const stores = createStoreCaller({ registry: registryOf([hangs]), clock, random: () => 0 }, FAST);
    const own = expect(stores.call('getEvents', stream, { deadlineMs: 300.7 })).rejects.toMatchObject({
      code: 'timeout',
    });
    await clock.pass(300.7);
    await own;
    expect(left).toEqual([300]);
    left.length = 0;
    // Two attempts of two seconds, and a third one with the rest of five.
    const usual = expect(stores.call('getEvents', stream)).rejects.toMatchObject({ code: 'timeout' });
    await clock.pass(5_000);
    await usual;
    expect(left).toEqual([2_000, 2_000, 1_000]);
    left.length = 0;
    const short = expect(stores.call('getEvents', stream, { deadlineMs: 0.5 })).rejects.toBeDefined();
    await clock.pass(1);
    await short;
    expect(left).toEqual([1]);
  });

  test('a wrong bound is refused by its name', () => {
    for (const [member, value] of [
      ['deadlineMs', 0],
      ['attemptTimeoutMs', Number.NaN],
    ] as const) {
      expect(() => createStoreCaller({ registry: registryOf([]) }, { [member]: value })).toThrow(
        expect.objectContaining({ code: 'invalid_argument', reason: 'retry_options', member }),
      );
    }
    const registry = registryOf([]);
    expect(() => createStoreCaller({ registry }, { deadlineMs: Number.POSITIVE_INFINITY })).not.toThrow();
  });

  test('the stores do not share their retries', async () => {
    let calls = 0;
    const registry = {
      pick: (storeId: string) => ({
        storeId,
        call: () => {
          calls++;
          return Promise.reject(new GaterError('unavailable', 'down'));
        },
      }),
    } as unknown as Registry;
    const stores = createStoreCaller({ registry }, { ...FAST, maxAttempts: 2 });
    const retries = async (storeId: string): Promise<number> => {
      calls = 0;
      for (let n = 0; n < 20; n++) await stores.call('getEvents', { ...stream, storeId }).catch(() => {});
      return calls - 20;
    };
    // Ten, or a tenth of the calls.
    expect(await retries('one')).toBe(10);
    expect(await retries('one')).toBeLessThan(2);
    expect(await retries('two')).toBe(10);
  });

  test('the whole call has a deadline, and each worker gets the time that remains', async () => {
    const left: (number | undefined)[] = [];
    const stores = createStoreCaller(
      {
        registry: registryOf([
          (_method, _params, context) => {
            left.push(context?.deadlineMs);
            return new Promise(() => {});
          },
        ]),
      },
      { ...FAST, deadlineMs: 60, attemptTimeoutMs: 25 },
    );
    await expect(stores.call('getEvents', stream)).rejects.toMatchObject({
      code: 'timeout',
      attempts: expect.any(Number),
    });
    expect(left.length).toBeGreaterThan(1);
    expect(left[0]).toBe(25);
    expect(left.at(-1)).toBeLessThanOrEqual(25);
  });

  test('retries are limited to a tenth of the calls plus ten when every worker fails [F17]', async () => {
    let calls = 0;
    const registry = registryOf([
      () => {
        calls++;
        throw new GaterError('unavailable', 'down');
      },
    ]);
    const stores = createStoreCaller({ registry }, FAST);
    await Promise.allSettled(Array.from({ length: 200 }, () => stores.call('getEvents', stream)));
    expect(calls).toBeLessThanOrEqual(200 * 1.1 + 10);
  });

  test('the two reads by direction are asked as getEvents', async () => {
    const asked: unknown[] = [];
    const registry = registryOf([(method, params) => asked.push({ method, params })]);
    const stores = createStoreCaller({ registry });
    await stores.call('streamForward', { ...stream, startVersion: 3 });
    await stores.call('streamBackward', { ...stream, count: 5 });
    expect(asked).toEqual([
      { method: 'getEvents', params: { ...stream, startVersion: 3, direction: 'forward' } },
      { method: 'getEvents', params: { ...stream, count: 5, direction: 'backward' } },
    ]);
  });

  test('a query or a condition is never left out: workers that do not know queries are not asked', async () => {
    const serve = vi.fn(() => ({}));
    const query = { items: [{ types: ['t'] }] };
    const append = { ...stream, events: [], condition: { failIfEventsMatch: query } };
    const without = createStoreCaller({ registry: registryOf([serve]) });
    await expect(without.call('readAll', { storeId: 's', query })).rejects.toMatchObject({
      code: 'not_supported',
    });
    await expect(without.call('appendEvents', append)).rejects.toMatchObject({ code: 'not_supported' });
    expect(serve).not.toHaveBeenCalled();
    const methods = ['appendEvents', 'readAll', 'queryEvents'];
    const withQueries = createStoreCaller({ registry: registryOf([serve], methods) });
    await without.call('readAll', { storeId: 's' });
    expect(serve).toHaveBeenCalledTimes(1);
    serve.mockClear();
    await withQueries.call('readAll', { storeId: 's', query });
    await withQueries.call('appendEvents', append);
    expect(serve.mock.calls.map((args: unknown[]) => args[0])).toEqual(['queryEvents', 'appendEvents']);
  });

  test.each(['publish', 'toString', 'registerWorker', 'execute', 'health'])(
    '%s is not a store method',
    async (method) => {
      const stores = createStoreCaller({ registry: registryOf([() => 1]) });
      await expect(stores.call(method as 'getVersion', stream)).rejects.toMatchObject({
        code: 'not_supported',
      });
    },
  );

  test('execute lends a worker, and another one while the error is retriable', async () => {
    const stores = createStoreCaller({ registry: registryOf([() => 'a', () => 'b']) }, FAST);
    const lent: string[] = [];
    const result = await stores.execute('s', async (worker) => {
      lent.push(worker.workerId);
      if (lent.length === 1) throw new GaterError('overloaded', 'busy');
      return worker.call('getEvents', stream);
    });
    expect([result, lent]).toEqual(['b', ['w0', 'w1']]);
  });
});

describe('telemetry of a call', () => {
  afterEach(() => void detach('test'));

  test('emits start, attempts, exhaustion and error with the name of the method', async () => {
    const seen: [string, unknown][] = [];
    attach(
      'test',
      (name, measurements, metadata) => void seen.push([name, { ...measurements, ...metadata }]),
    );
    const fails: Serve = () => {
      throw new GaterError('overloaded', 'busy');
    };
    const stores = createStoreCaller({ registry: registryOf([fails]) }, { ...FAST, maxAttempts: 2 });
    await expect(stores.call('streamForward', stream)).rejects.toMatchObject({ code: 'retries_exhausted' });
    const request = { store_id: 's', request_type: 'streamForward' };
    expect(seen).toEqual([
      ['esdb_gater.request.start', { ...request, system_time: expect.any(Number) }],
      [
        'esdb_gater.retry.attempt',
        { store_id: 's', reason: 'overloaded', attempt: 1, delay_ms: expect.any(Number) },
      ],
      ['esdb_gater.retry.exhausted', { store_id: 's', reason: 'overloaded', total_attempts: 2 }],
      ['esdb_gater.request.error', { ...request, reason: 'retries_exhausted', duration: expect.any(Number) }],
    ]);
  });

  test('tells that retries are exhausted only when they are, and nothing of a retry without one', async () => {
    const seen: string[] = [];
    attach('test', (name) => void seen.push(name));
    const conflict: Serve = () => {
      throw new GaterError('wrong_expected_version', 'no', { details: { expected: 1, actual: 2 } });
    };
    const stores = createStoreCaller({ registry: registryOf([conflict]) }, FAST);
    await expect(stores.call('getEvents', stream)).rejects.toMatchObject({ actual: 2 });
    expect(seen).toEqual(['esdb_gater.request.start', 'esdb_gater.request.error']);
  });
});
