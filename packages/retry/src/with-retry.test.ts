import { CountingController, createFakeClock, type FakeClock } from '@esdb-gater/primitives/testing';
import { type ErrorCode, GaterError } from '@esdb-gater/types';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createRetryBudget } from './budget.ts';
import { retryPolicy } from './policy.ts';
import { type RetryNotice, type WithRetryOptions, withRetry as withRetryOn } from './with-retry.ts';

const policy = retryPolicy({ baseDelayMs: 100, maxDelayMs: 1_000, maxAttempts: 4 });
/** Delays of 100, 200, 400 ms. */
const random = (): number => 0;

const failure = (code: ErrorCode, details = {}): GaterError =>
  new GaterError(code, `it is ${code}`, { details });
const never = (): Promise<never> => new Promise(() => {});

let clock: FakeClock;

/** On the clock of the test. */
const withRetry: typeof withRetryOn = (fn, options, rest = {}) =>
  withRetryOn(fn, options, { clock, ...rest });

/** The outcome of a call, and when it came, with the clock driven until it did. */
async function outcome<T>(call: Promise<T>): Promise<{ value?: T; error?: GaterError; atMs: number }> {
  const start = clock.monotonic();
  const settled = call.then(
    (value) => ({ value, atMs: clock.monotonic() - start }),
    (error: GaterError) => ({ error, atMs: clock.monotonic() - start }),
  );
  while (await clock.passToNextTimer());
  return await settled;
}

beforeEach(() => {
  clock = createFakeClock();
});

afterEach(() => {
  expect(clock.timers, 'timers left behind').toBe(0);
});

describe('what is retried', () => {
  test('a retriable error is retried until a success', async () => {
    const fn = vi.fn(async (attempt: number) => {
      if (attempt < 2) throw failure('unavailable');
      return attempt;
    });
    expect(await outcome(withRetry(fn, policy, { random }))).toEqual({ value: 2, atMs: 300 });
    expect(fn).toHaveBeenCalledTimes(3);
  });

  test('never again: every error retried for 80 s (version conflicts too)', async () => {
    const conflict = failure('wrong_expected_version', { streamId: 's', expected: 1, actual: 4 });
    const fn = vi.fn(() => Promise.reject(conflict));
    expect(await outcome(withRetry(fn))).toEqual({ error: conflict, atMs: 0 });
    expect(fn).toHaveBeenCalledTimes(1);
  });

  test.each([
    ['an error of another kind', new TypeError('no')],
    ['an object that looks retriable', { code: 'unavailable', retriable: true }],
    ['undefined', undefined],
  ])('%s is thrown at once and unchanged', async (_, thrown) => {
    const fn = vi.fn(() => {
      throw thrown;
    });
    const { error, atMs } = await outcome(withRetry(fn, policy));
    expect(error).toBe(thrown);
    expect(atMs).toBe(0);
    expect(fn).toHaveBeenCalledTimes(1);
  });

  test.each([[undefined], [null], [0], [''], ['ok'], [{ error: 'a value' }], [new Error('a value')]])(
    'never again: plain success values crashing the wrapper (%o)',
    async (value) => {
      expect((await outcome(withRetry(() => value))).value).toBe(value);
      expect((await outcome(withRetry(async () => value))).value).toBe(value);
    },
  );

  test('never again: a timed-out append written twice, when the caller says it has no ids', async () => {
    const append = vi.fn(never);
    const shouldRetry = (error: GaterError): boolean => error.code !== 'timeout';
    const result = await outcome(withRetry(append, policy, { attemptTimeoutMs: 50, shouldRetry }));
    expect(result).toMatchObject({ error: { code: 'timeout' }, atMs: 50 });
    expect(append).toHaveBeenCalledTimes(1);
  });

  test('shouldRetry is asked about retriable errors only', async () => {
    const shouldRetry = vi.fn(() => true);
    await outcome(withRetry(() => Promise.reject(failure('internal')), policy, { shouldRetry }));
    expect(shouldRetry).not.toHaveBeenCalled();
  });
});

describe('attempts', () => {
  test('all attempts used up is retries_exhausted with their number and the code of the last error', async () => {
    const fn = vi.fn((attempt: number) => Promise.reject(failure(attempt === 3 ? 'overloaded' : 'timeout')));
    const { error, atMs } = await outcome(withRetry(fn, policy, { random }));
    expect(error).toMatchObject({ code: 'retries_exhausted', attempts: 4, cause: 'overloaded' });
    expect(error?.retriable).toBe(false);
    expect(error?.toData()).toMatchObject({ attempts: 4, cause: 'overloaded' });
    // A person who reads it needs to know what failed.
    expect(error?.message).toContain('it is overloaded');
    expect(atMs).toBe(700);
    expect(fn.mock.calls.map(([attempt]) => attempt)).toEqual([0, 1, 2, 3]);
  });

  test('onRetry is called before each delay, and not for the last failure', async () => {
    const onRetry = vi.fn((_: RetryNotice) => {});
    const error = failure('no_workers');
    await outcome(withRetry(() => Promise.reject(error), policy, { random, onRetry }));
    expect(onRetry.mock.calls.map(([notice]) => notice)).toEqual([
      { attempt: 0, delayMs: 100, error },
      { attempt: 1, delayMs: 200, error },
      { attempt: 2, delayMs: 400, error },
    ]);
  });

  test('a plain object with some members is completed to a policy', async () => {
    const fn = vi.fn(() => Promise.reject(failure('unavailable')));
    await outcome(withRetry(fn, { maxAttempts: 2 }));
    expect(fn).toHaveBeenCalledTimes(2);
  });

  test('rate_limited waits at least its retryAfterMs', async () => {
    const limited = (attempt: number, retryAfterMs: unknown): Promise<string> =>
      attempt === 0 ? Promise.reject(failure('rate_limited', { retryAfterMs })) : Promise.resolve('ok');
    for (const [retryAfterMs, atMs] of [
      [730, 730],
      [30, 100],
      ['730', 100],
      [Number.NaN, 100],
    ]) {
      const call = withRetry((attempt) => limited(attempt, retryAfterMs), policy, { random });
      expect(await outcome(call)).toEqual({ value: 'ok', atMs });
    }
  });

  test('the retryAfterMs of another error changes nothing', async () => {
    const fn = (attempt: number): Promise<string> =>
      attempt === 0 ? Promise.reject(failure('unavailable', { retryAfterMs: 730 })) : Promise.resolve('ok');
    expect(await outcome(withRetry(fn, policy, { random }))).toEqual({ value: 'ok', atMs: 100 });
  });
});

describe('the deadline', () => {
  test('a retry starts only if its delay ends before the deadline; else the last error is thrown with `attempts`', async () => {
    const fn = vi.fn(() => Promise.reject(failure('unavailable', { node: 'a' })));
    const { error, atMs } = await outcome(withRetry(fn, policy, { random, deadlineMs: 300 }));
    // After 100 ms the next delay of 200 ms would end at the deadline, not before it.
    expect(fn).toHaveBeenCalledTimes(2);
    expect(atMs).toBe(100);
    expect(error).toMatchObject({ code: 'unavailable', attempts: 2, node: 'a' });
  });

  test('a retry starts though hardly any time is left for it', async () => {
    const fn = vi.fn(() => Promise.reject(failure('unavailable')));
    const { error } = await outcome(withRetry(fn, policy, { random, deadlineMs: 101 }));
    expect(fn).toHaveBeenCalledTimes(2);
    expect(error).toMatchObject({ attempts: 2 });
    expect(await outcome(withRetry(() => 'ok', policy, { deadlineMs: 0.5 }))).toMatchObject({ value: 'ok' });
  });

  test.each([
    ['after', 401, 1],
    ['exactly at', 400, 1],
    ['just before', 399, 2],
  ])(
    'no retry starts when the event loop is late and its delay ends %s the deadline',
    async (_, lateMs, attempts) => {
      const late: FakeClock = {
        ...clock,
        setTimer: (run, ms, options) => clock.setTimer(run, ms + lateMs, options),
      };
      const limits: unknown[] = [];
      const fn = vi.fn(async (_attempt: number, signal: AbortSignal): Promise<never> => {
        if (limits.length === 0) {
          limits.push('none');
          throw failure('unavailable');
        }
        signal.addEventListener('abort', () =>
          limits.push((signal.reason as GaterError).details['timeoutMs']),
        );
        return await never();
      });
      const { error } = await outcome(withRetry(fn, policy, { random, deadlineMs: 500, clock: late }));
      expect(fn).toHaveBeenCalledTimes(attempts);
      expect(error).toMatchObject({ attempts });
      // The attempt that still starts has only the time that is really left.
      if (attempts === 2) expect(limits).toEqual(['none', 1]);
    },
  );

  test('an attempt has the smaller of its own limit and the time left', async () => {
    const limits: number[] = [];
    const fn = async (_: number, signal: AbortSignal): Promise<never> => {
      const start = clock.monotonic();
      signal.addEventListener('abort', () => limits.push(clock.monotonic() - start));
      return await never();
    };
    const options: WithRetryOptions = { random, deadlineMs: 1_000, attemptTimeoutMs: 400 };
    const { error, atMs } = await outcome(withRetry(fn, policy, options));
    // 400, a delay of 100, 400; the delay of 200 would end past the deadline.
    expect(limits).toEqual([400, 400]);
    expect(error).toMatchObject({ code: 'timeout', attempts: 2 });
    expect(atMs).toBe(900);

    limits.length = 0;
    await outcome(withRetry(fn, policy, { ...options, deadlineMs: 600 }));
    expect(limits).toEqual([400, 100]);
  });

  test('an attempt that ignores its signal is ended all the same', async () => {
    const { error, atMs } = await outcome(withRetry(never, { maxAttempts: 1 }, { attemptTimeoutMs: 200 }));
    expect(error).toMatchObject({ code: 'retries_exhausted', cause: 'timeout' });
    expect(atMs).toBe(200);
  });

  test('the signal of an attempt aborts with a timeout GaterError', async () => {
    let reason: unknown;
    const fn = (_: number, signal: AbortSignal): Promise<never> => {
      signal.addEventListener('abort', () => {
        reason = signal.reason;
      });
      return never();
    };
    await outcome(withRetry(fn, { maxAttempts: 1 }, { deadlineMs: 70 }));
    expect(GaterError.is(reason) && reason.code).toBe('timeout');
    expect(reason).toMatchObject({ timeoutMs: 70 });
  });

  test('a late result of an abandoned attempt is ignored', async () => {
    const fn = (attempt: number): Promise<string> =>
      new Promise((resolve, reject) => {
        if (attempt === 0) clock.setTimer(() => reject(new Error('late')), 500);
        else clock.setTimer(() => resolve('second'), 50);
      });
    const result = await outcome(withRetry(fn, policy, { random, attemptTimeoutMs: 100 }));
    expect(result).toEqual({ value: 'second', atMs: 250 });
  });

  test('a jump of the wall clock neither ends nor prolongs a call [F6]', async () => {
    const fn = async (attempt: number): Promise<number> => {
      clock.setNow(clock.now() + (attempt % 2 === 0 ? 3_600_000 : -7_200_000));
      if (attempt < 3) throw failure('unavailable');
      return attempt;
    };
    expect(await outcome(withRetry(fn, policy, { random, deadlineMs: 5_000 }))).toEqual({
      value: 3,
      atMs: 700,
    });
  });

  test('a deadline that has passed is a timeout without an attempt', async () => {
    const fn = vi.fn();
    const { error } = await outcome(withRetry(fn, policy, { deadlineMs: 0 }));
    expect(error).toMatchObject({ code: 'timeout', attempts: 0 });
    expect(error?.message).toMatch(/deadline/);
    expect(fn).not.toHaveBeenCalled();
  });

  test.each([
    ['deadlineMs', Number.NaN],
    ['attemptTimeoutMs', 0],
  ])('a wrong %s is refused by its name', async (member, value) => {
    const { error } = await outcome(withRetry(never, policy, { [member]: value }));
    expect(error).toMatchObject({ code: 'invalid_argument', reason: 'retry_options', member });
  });

  test('an attempt may have less than a millisecond', async () => {
    const call = withRetry(never, { maxAttempts: 1 }, { attemptTimeoutMs: 0.5 });
    expect(await outcome(call)).toMatchObject({ error: { cause: 'timeout' }, atMs: 0.5 });
  });
});

describe('the signal', () => {
  test('ends a running attempt at once, with its reason, and aborts the signal of the attempt', async () => {
    const controller = new CountingController();
    let own: AbortSignal | undefined;
    const fn = (_: number, signal: AbortSignal): Promise<never> => {
      own = signal;
      return never();
    };
    clock.setTimer(() => controller.abort('enough'), 30);
    const { error, atMs } = await outcome(
      withRetry(fn, policy, { signal: controller.signal, attemptTimeoutMs: 900 }),
    );
    expect(error).toBe('enough');
    expect(own?.reason).toBe('enough');
    expect(atMs).toBe(30);
    expect(controller.listeners).toBe(0);
  });

  test('ends a delay at once, and its timer', async () => {
    const controller = new AbortController();
    const fn = vi.fn(() => Promise.reject(failure('unavailable')));
    const call = withRetry(fn, policy, { random, signal: controller.signal });
    const timers = call.catch(() => clock.timers);
    await clock.pass(30);
    expect(clock.timers).toBe(1);
    controller.abort('enough');
    await expect(call).rejects.toBe('enough');
    expect(await timers).toBe(0);
    expect(fn).toHaveBeenCalledTimes(1);
  });

  test('a retriable reason is not retried', async () => {
    const controller = new AbortController();
    const fn = vi.fn(never);
    clock.setTimer(() => controller.abort(failure('timeout')), 30);
    const onRetry = vi.fn();
    const { atMs } = await outcome(withRetry(fn, policy, { signal: controller.signal, onRetry }));
    expect(atMs).toBe(30);
    expect(fn).toHaveBeenCalledTimes(1);
    expect(onRetry).not.toHaveBeenCalled();
  });

  test('one that has aborted before lets no attempt begin', async () => {
    const fn = vi.fn();
    const budget = createRetryBudget({ clock, min: 0, ratio: 1 });
    const { error } = await outcome(withRetry(fn, policy, { signal: AbortSignal.abort('before'), budget }));
    expect(error).toBe('before');
    expect(fn).not.toHaveBeenCalled();
    // It was not a call, so it allows no retry.
    expect(budget.tryRetry()).toBe(false);
  });

  test('no listener stays on it after successes, failures and delays', async () => {
    const controller = new CountingController();
    const options = { random, signal: controller.signal, attemptTimeoutMs: 50 };
    await outcome(withRetry(() => 'ok', policy, options));
    await outcome(withRetry(never, policy, options));
    await outcome(withRetry(() => Promise.reject(failure('internal')), policy, options));
    expect(controller.listeners).toBe(0);
  });
});

describe('the budget', () => {
  test('a retry beyond the budget throws the last error with `attempts`', async () => {
    const budget = createRetryBudget({ clock, min: 1 });
    const fn = vi.fn(() => Promise.reject(failure('overloaded')));
    const { error, atMs } = await outcome(withRetry(fn, policy, { random, budget }));
    expect(error).toMatchObject({ code: 'overloaded', attempts: 2 });
    expect(fn).toHaveBeenCalledTimes(2);
    expect(atMs).toBe(100);
  });

  test('a storm of failures makes at most a tenth more calls, plus ten [F17]', async () => {
    const budget = createRetryBudget({ clock });
    let calls = 0;
    const fn = async (): Promise<string> => {
      if (calls++ % 2 === 0) throw failure('unavailable');
      return 'ok';
    };
    const all = Array.from({ length: 2_000 }, () => withRetry(fn, policy, { budget }));
    await outcome(Promise.allSettled(all));
    expect(calls).toBeLessThanOrEqual(2_000 * 1.1 + 10);
    expect(calls).toBeGreaterThan(2_000 * 1.05);
  });

  test('a retry that the deadline forbids does not use the budget', async () => {
    const budget = createRetryBudget({ clock, min: 1 });
    await outcome(
      withRetry(() => Promise.reject(failure('overloaded')), policy, { random, budget, deadlineMs: 50 }),
    );
    expect(budget.tryRetry()).toBe(true);
  });
});
