import { CountingController, createFakeClock, type FakeClock } from '@esdb-gater/primitives/testing';
import { GaterError, type Registry, silentLogger } from '@esdb-gater/types';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type FakeWorker, fakeWorker, STREAM, unavailable } from '../tests/fake-worker.ts';
import { createRegistry } from './registry.ts';

let clock: FakeClock;
let registry: Registry;
let a: FakeWorker;
let b: FakeWorker;

beforeEach(() => {
  clock = createFakeClock();
  registry = createRegistry({ clock });
  a = fakeWorker('a');
  b = fakeWorker('b');
});

afterEach(() => {
  registry.close();
  expect(clock.timers, 'timers left behind').toBe(0);
});

/** Calls until worker `a` was called `times` times, and ignores the results. */
async function callA(times: number): Promise<void> {
  for (let done = 0; done < times; ) {
    const worker = registry.pick('default');
    if (worker.workerId === 'a') done++;
    await worker.call('getVersion', STREAM).catch(() => {});
  }
}

const live = (): string[] =>
  registry
    .workers('default')
    .filter(({ workerId }) => registry.isLive('default', workerId))
    .map(({ workerId }) => workerId);

/** A call that its caller limits, as the retries of the gateway do. */
function limited(limitMs: number): Promise<unknown> {
  const controller = new AbortController();
  clock.setTimer(() => controller.abort(new GaterError('timeout', 'too late')), limitMs);
  return registry.pick('default').call('getVersion', STREAM, { signal: controller.signal });
}

describe('with another live worker', () => {
  beforeEach(() => {
    registry.register(a);
    registry.register(b);
  });

  test('three failures in a row eject a worker, two do not', async () => {
    a.behave(unavailable());
    await callA(2);
    expect(live()).toEqual(['a', 'b']);
    await callA(1);
    expect(live()).toEqual(['b']);
    expect(registry.workers('default')).toHaveLength(2);
  });

  test('a success between failures begins the count anew', async () => {
    for (let i = 0; i < 5; i++) {
      a.behave(unavailable());
      await callA(2);
      a.behave('answers');
      await callA(1);
    }
    expect(live()).toEqual(['a', 'b']);
  });

  test.each(['timeout', 'unavailable', 'internal'] as const)(
    '%s is a failure of the worker',
    async (code) => {
      a.behave(new GaterError(code, 'no'));
      await callA(3);
      expect(live()).toEqual(['b']);
    },
  );

  test.each([
    'wrong_expected_version',
    'stream_not_found',
    'invalid_argument',
    'overloaded',
    'not_supported',
  ] as const)('%s is an answer, not a failure', async (code) => {
    a.behave(new GaterError(code, 'no'));
    await callA(10);
    expect(live()).toEqual(['a', 'b']);
  });

  test('an error that is not a GaterError is internal and counts as a failure', async () => {
    a.behave(new TypeError('a bug') as GaterError);
    const call = registry.pick('default').call('getVersion', STREAM);
    await expect(call).rejects.toMatchObject({ code: 'internal' });
    await callA(2);
    expect(live()).toEqual(['b']);
  });

  test('never again: a hung worker keeping its share [F16]', async () => {
    a.behave('hangs');
    const calls = Promise.allSettled(Array.from({ length: 12 }, () => limited(200)));
    await clock.pass(200);
    const failed = (await calls).filter(({ status }) => status === 'rejected');
    expect(failed).toHaveLength(6);
    expect(live()).toEqual(['b']);
    a.calls.length = 0;
    for (let i = 0; i < 20; i++) await registry.pick('default').call('getVersion', STREAM);
    expect(a.calls).toEqual([]);
  });

  test('a deadline without a signal ends a call to a hung worker and counts, too', async () => {
    a.behave('hangs');
    const calls = Array.from({ length: 6 }, () =>
      registry
        .pick('default')
        .call('getVersion', STREAM, { deadlineMs: 100 })
        .catch((error: unknown) => error),
    );
    await clock.pass(100);
    expect(
      (await Promise.all(calls)).filter((error) => GaterError.is(error)).map(({ code }) => code),
    ).toEqual(Array(3).fill('timeout'));
    expect(live()).toEqual(['b']);
  });

  test('an abort by the caller does not count against the worker', async () => {
    a.behave('hangs');
    const controller = new AbortController();
    const calls = Array.from({ length: 12 }, () =>
      registry.pick('default').call('getVersion', STREAM, { signal: controller.signal }),
    );
    controller.abort('enough');
    const settled = await Promise.allSettled(calls);
    expect(settled.filter(({ status }) => status === 'rejected').length).toBeGreaterThanOrEqual(6);
    expect(live()).toEqual(['a', 'b']);
  });

  test('a single probe after one second restores the worker [F16]', async () => {
    a.behave(unavailable());
    await callA(3);
    a.behave('answers');
    a.calls.length = 0;
    await clock.pass(999);
    expect(a.calls).toEqual([]);
    await clock.pass(1);
    expect(a.calls).toEqual(['quickHealthCheck']);
    expect(live()).toEqual(['a', 'b']);
  });

  test('a probe that fails does not restore the worker', async () => {
    a.behave(unavailable());
    await callA(3);
    a.calls.length = 0;
    const watcher = registry.watch()[Symbol.asyncIterator]();
    await clock.pass(1_000);
    expect([a.calls, live()]).toEqual([['quickHealthCheck'], ['b']]);
    for (let n = 0; n < 4; n++) expect(registry.pick('default').workerId).toBe('b');
    a.behave('answers');
    await clock.pass(2_000);
    expect(live()).toEqual(['a', 'b']);
    expect((await watcher.next()).value).toMatchObject({ kind: 'restored', worker: { workerId: 'a' } });
    await watcher.return?.();
  });

  test('a probe that is answered with an error of the request restores the worker', async () => {
    a.behave(unavailable());
    await callA(3);
    a.behave(new GaterError('not_supported', 'no such method'));
    await clock.pass(1_000);
    expect(live()).toEqual(['a', 'b']);
  });

  test('one that is unregistered while its probe is under way is not restored by the answer', async () => {
    a.behave(unavailable());
    await callA(3);
    const { promise, resolve } = Promise.withResolvers<never>();
    vi.spyOn(a, 'call').mockReturnValue(promise);
    await clock.pass(1_000);
    const watcher = registry.watch()[Symbol.asyncIterator]();
    registry.unregister('default', 'a');
    resolve({} as never);
    await clock.pass(100);
    registry.register(fakeWorker('c'));
    expect((await watcher.next()).value).toMatchObject({ kind: 'unregistered', worker: { workerId: 'a' } });
    expect((await watcher.next()).value).toMatchObject({ kind: 'registered', worker: { workerId: 'c' } });
    await watcher.return?.();
  });

  test('one that is unregistered while its probe is under way is not asked again when that fails', async () => {
    a.behave(unavailable());
    await callA(3);
    a.behave('hangs');
    await clock.pass(1_000);
    registry.unregister('default', 'a');
    a.calls.length = 0;
    await clock.pass(60_000);
    expect([a.calls, clock.timers]).toEqual([[], 0]);
  });

  test('one that a watcher unregisters at its ejection is not probed', async () => {
    const worker = fakeWorker('c', { storeId: 'other' });
    const logger = {
      ...silentLogger,
      warn: () => void registry.unregister('other', 'c'),
    };
    registry = createRegistry({ clock, logger });
    registry.register(worker);
    registry.register(fakeWorker('d', { storeId: 'other' }));
    worker.behave(unavailable());
    for (let n = 0; n < 6; n++) {
      await registry
        .pick('other')
        .call('getVersion', STREAM)
        .catch(() => {});
    }
    worker.calls.length = 0;
    await clock.pass(10_000);
    expect([registry.workers('other').map(({ workerId }) => workerId), worker.calls]).toEqual([['d'], []]);
  });

  test('calls that end after the ejection neither make it longer nor count after it', async () => {
    a.behave('hangs');
    const slow = Promise.allSettled(Array.from({ length: 20 }, () => limited(900)));
    a.behave(unavailable());
    await callA(3);
    a.behave('answers');
    await clock.pass(900);
    await slow;
    expect(live()).toEqual(['b']);
    await clock.pass(100);
    expect(live()).toEqual(['a', 'b']);
    // Two failures do not eject it: the count began anew.
    a.behave(unavailable());
    await callA(2);
    expect(live()).toEqual(['a', 'b']);
  });

  test('a call counts once: an answer or error after its time limit counts no more', async () => {
    const calls: PromiseWithResolvers<never>[] = [];
    vi.spyOn(a, 'call').mockImplementation(() => {
      const call = Promise.withResolvers<never>();
      calls.push(call);
      return call.promise;
    });
    const late = Promise.allSettled(Array.from({ length: 4 }, () => limited(100)));
    await clock.pass(100);
    await late;
    expect([calls.length, live()]).toEqual([2, ['a', 'b']]);
    // Two failures so far: neither does this error make a third one, nor this answer begin the count anew.
    calls[0]?.reject(unavailable());
    await clock.pass(0);
    expect(live()).toEqual(['a', 'b']);
    calls[1]?.resolve({} as never);
    await clock.pass(0);
    vi.mocked(a.call).mockRejectedValue(unavailable());
    await callA(1);
    expect(live()).toEqual(['b']);
  });

  test('calls with a signal count their errors and answers, and leave no listener on it', async () => {
    const counting = new CountingController();
    const call = async (): Promise<void> => {
      for (let n = 0; n < 2; n++) {
        await registry
          .pick('default')
          .call('getVersion', STREAM, { signal: counting.signal })
          .catch(() => {});
      }
    };
    for (let n = 0; n < 4; n++) {
      a.behave(n % 2 === 0 ? unavailable() : 'answers');
      await call();
    }
    expect([live(), counting.listeners]).toEqual([['a', 'b'], 0]);
    a.behave(new GaterError('not_supported', 'no such method'));
    for (let n = 0; n < 4; n++) await call();
    expect(live()).toEqual(['a', 'b']);
    a.behave(unavailable());
    for (let n = 0; n < 3; n++) await call();
    expect([live(), counting.listeners]).toEqual([['b'], 0]);
  });

  test('probes of a closed registry change nothing', async () => {
    a.behave('hangs');
    const probed = registry.probe('default');
    registry.close();
    expect(await probed).toEqual([]);
    for (let n = 0; n < 5; n++) expect(await registry.probe('default')).toEqual([]);
    expect(live()).toEqual(['a', 'b']);
  });

  test('the time until the next probe doubles with every probe that fails, up to a bound', async () => {
    a.behave(unavailable());
    await callA(3);
    a.calls.length = 0;
    const probesAt: number[] = [];
    const start = clock.monotonic();
    while (probesAt.length < 9) {
      await clock.passToNextTimer();
      if (a.calls.splice(0).length > 0) probesAt.push((clock.monotonic() - start) / 1_000);
    }
    expect(probesAt).toEqual([1, 3, 7, 15, 31, 63, 123, 183, 243]);
  });

  test('a probe of a worker that hangs times out', async () => {
    a.behave('hangs');
    const calls = Promise.allSettled(Array.from({ length: 6 }, () => limited(100)));
    await clock.pass(100);
    await calls;
    a.calls.length = 0;
    // The probe at 1 s fails at 3 s, the next one comes 2 s later.
    await clock.pass(4_999);
    expect(a.calls).toHaveLength(1);
    a.behave('answers');
    await clock.pass(1);
    expect(a.calls).toHaveLength(2);
    expect(live()).toEqual(['a', 'b']);
  });

  test('a worker that fails again soon is ejected for twice as long, one that was sound for long is not', async () => {
    const ejectAndMeasure = async (): Promise<number> => {
      a.behave(unavailable());
      await callA(3);
      a.behave('answers');
      const start = clock.monotonic();
      while (!registry.isLive('default', 'a')) await clock.passToNextTimer();
      return clock.monotonic() - start;
    };
    expect(await ejectAndMeasure()).toBe(1_000);
    expect(await ejectAndMeasure()).toBe(2_000);
    expect(await ejectAndMeasure()).toBe(4_000);
    await clock.pass(4_000);
    expect(await ejectAndMeasure()).toBe(1_000);
  });

  test('watchers receive ejection and restoration events', async () => {
    const watcher = registry.watch()[Symbol.asyncIterator]();
    a.behave(unavailable());
    await callA(3);
    a.behave('answers');
    await clock.pass(1_000);
    expect((await watcher.next()).value).toMatchObject({ kind: 'ejected', worker: { workerId: 'a' } });
    expect((await watcher.next()).value).toMatchObject({ kind: 'restored', worker: { workerId: 'a' } });
    await watcher.return?.();
  });

  test('one that is unregistered while it is ejected is probed no more', async () => {
    a.behave(unavailable());
    await callA(3);
    a.calls.length = 0;
    registry.unregister('default', 'a');
    await clock.pass(10_000);
    expect(a.calls).toEqual([]);
  });

  test('a later incarnation of an ejected worker is live', async () => {
    a.behave(unavailable());
    await callA(3);
    registry.register(fakeWorker('a', { incarnation: 2 }));
    expect(live()).toEqual(['b', 'a']);
  });
});

test('the bounds of failures, ejections and probes can be chosen', async () => {
  registry = createRegistry(
    { clock },
    { maxFailures: 1, ejectBaseMs: 10, ejectMaxMs: 15, probeTimeoutMs: 0.5 },
  );
  registry.register(a);
  registry.register(b);
  a.behave('hangs');
  expect(await Promise.all([registry.probe('default'), clock.pass(0.5)])).toMatchObject([
    [{ workerId: 'b' }],
    undefined,
  ]);
  expect(live()).toEqual(['b']);
  // Probes at 10.5 and 26 ms, each with its half millisecond.
  a.calls.length = 0;
  await clock.pass(25);
  expect(a.calls).toHaveLength(1);
  a.behave('answers');
  await clock.pass(0.5);
  expect([a.calls.length, live()]).toEqual([2, ['a', 'b']]);
});

describe("a store's only worker", () => {
  beforeEach(() => {
    registry.register(a);
  });

  test('is ejected like any other, and the store then has no live worker', async () => {
    a.behave(unavailable());
    await callA(3);
    expect(() => registry.pick('default')).toThrow(expect.objectContaining({ code: 'no_workers' }));
    a.behave('answers');
    await clock.pass(1_000);
    expect(live()).toEqual(['a']);
  });

  test('is probed again after the first ejection time, and then after twice as long', async () => {
    a.behave(unavailable());
    await callA(3);
    a.calls.length = 0;
    const probesAt: number[] = [];
    while (probesAt.length < 4) {
      await clock.passToNextTimer();
      if (a.calls.splice(0).length > 0) probesAt.push(clock.monotonic());
    }
    expect(probesAt).toEqual([1_000, 3_000, 7_000, 15_000]);
  });

  test('is probed at once, so that a worker that only fails to write can still be read', async () => {
    const call = vi.spyOn(a, 'call');
    call.mockImplementation(async (method) => {
      if (method === 'appendEvents') throw unavailable();
      return {};
    });
    for (let i = 0; i < 20; i++) {
      await registry
        .pick('default')
        .call('appendEvents', { ...STREAM, events: [] })
        .catch(() => {});
      await clock.pass(0);
      await expect(registry.pick('default').call('getVersion', STREAM)).resolves.toEqual({});
      await registry
        .pick('default')
        .call('appendEvents', { ...STREAM, events: [] })
        .catch(() => {});
      await registry
        .pick('default')
        .call('appendEvents', { ...STREAM, events: [] })
        .catch(() => {});
    }
  });
});

describe('probing a store', () => {
  test('never again: health that cannot be unhealthy', async () => {
    registry.register(a);
    registry.register(b);
    expect(await registry.probe('default')).toHaveLength(2);
    a.behave('hangs');
    b.behave(unavailable());
    const probed = registry.probe('default', { timeoutMs: 500 });
    await clock.pass(500);
    expect(await probed).toEqual([]);
  });

  test('ejects by the same rules', async () => {
    registry.register(a);
    registry.register(b);
    a.behave(unavailable());
    for (let i = 0; i < 3; i++) await registry.probe('default');
    expect(live()).toEqual(['b']);
    expect(await registry.probe('default')).toMatchObject([{ workerId: 'b' }]);
  });

  test('asks for at most two seconds when no other time is given', async () => {
    registry.register(a);
    a.behave('hangs');
    const probed = registry.probe('default');
    let ended = false;
    void probed.then(() => {
      ended = true;
    });
    await clock.pass(1_999);
    expect(ended).toBe(false);
    await clock.pass(1);
    expect(await probed).toEqual([]);
  });

  test('an answer ends a row of failures', async () => {
    registry.register(a);
    registry.register(b);
    for (let n = 0; n < 4; n++) {
      a.behave(unavailable());
      for (let i = 0; i < 2; i++) await registry.probe('default');
      a.behave('answers');
      await registry.probe('default');
    }
    expect(live()).toEqual(['a', 'b']);
  });

  test('a refusing answer is an answer', async () => {
    registry.register(a);
    a.behave(new GaterError('not_supported', 'no such method'));
    expect(await registry.probe('default')).toHaveLength(1);
  });

  test('a store that is not known is store_not_found, one without workers answers with none', async () => {
    await expect(registry.probe('default')).rejects.toMatchObject({ code: 'store_not_found' });
    registry.declare('default');
    expect(await registry.probe('default')).toEqual([]);
  });

  test('is cancelled when the registry closes, and its result is ignored', async () => {
    registry.register(a);
    a.behave('hangs');
    const probed = registry.probe('default');
    registry.close();
    expect(await probed).toEqual([]);
    expect(live()).toEqual(['a']);
  });
});
