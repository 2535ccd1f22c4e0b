import { createFakeClock } from '@esdb-gater/primitives/testing';
import { GaterError, type StoreWorker } from '@esdb-gater/types';
import { describe, expect, test } from 'vitest';
import { type FakeWorker, fakeWorker, STREAM, unavailable } from '../tests/fake-worker.ts';
import { createRegistry } from './registry.ts';
import { createStoreCaller, type StoreCallerOptions } from './store-caller.ts';

const FAST: StoreCallerOptions = { baseDelayMs: 0, maxDelayMs: 0 };

/** Lets promises settle. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function open(workers: readonly StoreWorker[], options: StoreCallerOptions = {}) {
  const clock = createFakeClock();
  const registry = createRegistry({ clock });
  for (const worker of workers) registry.register(worker);
  const stores = createStoreCaller({ registry, clock, random: () => 0 }, { ...FAST, ...options });
  return { clock, registry, stores };
}

const askedOf = (worker: FakeWorker): number => worker.calls.filter((name) => name === 'getVersion').length;

describe('a call of a store through its registry', () => {
  test('that fails once is answered by the next worker', async () => {
    const [down, up] = [fakeWorker('down'), fakeWorker('up')];
    down.behave(unavailable());
    const { clock, stores } = open([down, up]);
    const answer = stores.call('getVersion', STREAM);
    await turn();
    clock.advance(1);
    expect(await answer).toEqual({ by: 'up' });
    expect([askedOf(down), askedOf(up)]).toEqual([1, 1]);
  });

  test('of a worker that hangs goes to the next one after the time of an attempt', async () => {
    const [hangs, up] = [fakeWorker('hangs'), fakeWorker('up')];
    hangs.behave('hangs');
    const { clock, stores } = open([hangs, up], { attemptTimeoutMs: 50 });
    const answer = stores.call('getVersion', STREAM);
    clock.advance(49);
    await turn();
    expect(askedOf(up)).toBe(0);
    clock.advance(1);
    await turn();
    clock.advance(1);
    expect(await answer).toEqual({ by: 'up' });
  });

  test('ends at its deadline, with the number of its attempts', async () => {
    const hangs = fakeWorker('hangs');
    hangs.behave('hangs');
    const { clock, stores } = open([hangs], { attemptTimeoutMs: 50 });
    const answer = stores.call('getVersion', STREAM, { deadlineMs: 40 });
    clock.advance(40);
    await expect(answer).rejects.toMatchObject({ code: 'timeout', attempts: 1 });
  });

  test('that has no time left, or is aborted, does not reach a worker', async () => {
    const worker = fakeWorker('w');
    const { stores } = open([worker]);
    await expect(stores.call('getVersion', STREAM, { deadlineMs: 0 })).rejects.toMatchObject({
      code: 'timeout',
      attempts: 0,
    });
    await expect(stores.call('getVersion', STREAM, { deadlineMs: Number.NaN })).rejects.toMatchObject({
      code: 'invalid_argument',
      reason: 'retry_options',
    });
    const reason = new Error('gone');
    await expect(stores.call('getVersion', STREAM, { signal: AbortSignal.abort(reason) })).rejects.toBe(
      reason,
    );
    expect(worker.calls).toEqual([]);
  });

  test('ends with the reason of its signal, and is not repeated', async () => {
    const [hangs, up] = [fakeWorker('hangs'), fakeWorker('up')];
    hangs.behave('hangs');
    const { registry, stores } = open([hangs, up]);
    const controller = new AbortController();
    const answer = stores.call('getVersion', STREAM, { signal: controller.signal });
    const reason = new Error('gone');
    controller.abort(reason);
    await expect(answer).rejects.toBe(reason);
    expect(askedOf(up)).toBe(0);
    expect(registry.states('default').map(({ failures }) => failures)).toEqual([0, 0]);
  });

  test('is repeated at most as often as the policy says, the first attempt counted', async () => {
    const down = fakeWorker('down');
    down.behave(new GaterError('overloaded', 'busy'));
    const { clock, stores } = open([down], { maxAttempts: 3 });
    const answer = stores.call('getVersion', STREAM);
    answer.catch(() => {});
    for (let n = 0; n < 5; n++) {
      await turn();
      clock.advance(1);
    }
    await expect(answer).rejects.toMatchObject({
      code: 'retries_exhausted',
      attempts: 3,
      cause: 'overloaded',
    });
    expect(askedOf(down)).toBe(3);
  });

  test('is not repeated in another database that has taken the name meanwhile', async () => {
    const [old, other] = [fakeWorker('old'), fakeWorker('other', { storeUuid: 'uuid-2' })];
    const { clock, registry, stores } = open([old], { maxAttempts: 3 });
    old.behave(new GaterError('timeout', 'late'));
    const answer = stores.call('getVersion', STREAM);
    answer.catch(() => {});
    registry.unregister('default', 'old');
    registry.register(other);
    for (let n = 0; n < 5; n++) {
      await turn();
      clock.advance(1);
    }
    await expect(answer).rejects.toMatchObject({ code: 'retries_exhausted', cause: 'unavailable' });
    expect(askedOf(other)).toBe(0);
    expect(await stores.call('getVersion', STREAM)).toEqual({ by: 'other' });
  });

  test('gives a worker of this process a signal that aborts at the limit', async () => {
    let signal: AbortSignal | undefined;
    const worker = fakeWorker('w');
    const asks: StoreWorker = {
      ...worker,
      call: (_method, _params, context) => {
        signal = context?.signal;
        return new Promise(() => {});
      },
    };
    const { clock, stores } = open([asks], { attemptTimeoutMs: 50 });
    const answer = stores.call('getVersion', STREAM, { deadlineMs: 50 });
    expect(signal?.aborted).toBe(false);
    clock.advance(50);
    await expect(answer).rejects.toMatchObject({ code: 'timeout' });
    expect(signal?.reason).toMatchObject({ code: 'timeout' });
  });
});
