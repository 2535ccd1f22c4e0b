import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { eventually } from '../../tests/support/eventually.ts';
import { createTestGater, type TestGater } from '../testing/index.ts';
import { type DueTimer, type Timers, timers } from './timers.ts';

interface Reminder {
  readonly order: string;
}

let gater: TestGater;
const open: Timers<Reminder>[] = [];
beforeEach(() => {
  gater = createTestGater();
});
afterEach(async () => {
  for (const one of open.splice(0)) await one.stop();
  await gater.close();
});

type Fire = (timer: DueTimer<Reminder>) => void | Promise<void>;

/** Each call is a process of its own with the same timers. */
function reminders(fire: Fire = () => undefined, maxPending = 100): Timers<Reminder> {
  const made = timers<Reminder>({
    gater,
    name: 'reminders',
    async fire(timer, effects) {
      await effects.append({
        streamId: `order-${timer.message.order}`,
        events: [{ type: 'reminded', data: null }],
      });
      await fire(timer);
    },
    retry: { baseDelayMs: 1_000, maxDelayMs: 1_000 },
    maxPending,
    clock: gater.clock,
  });
  open.push(made);
  return made;
}

const inMs = (ms: number) => gater.clock.now() + ms;
async function reminded(order: string): Promise<number> {
  return (await gater.getVersion({ storeId: 'default', streamId: `order-${order}` })).version + 1;
}
const settle = () => gater.clock.pass(0);

test('a timer fires when it is due, with its message, and no sooner', async () => {
  const fired: DueTimer<Reminder>[] = [];
  const running = await reminders((timer) => void fired.push(timer)).start();
  const at = inMs(60_000);
  const id = await running.schedule({ at, message: { order: 'a' } });
  await eventually(() => expect(running.health()).toMatchObject({ pending: 1, next: new Date(at) }));
  await gater.clock.pass(59_999);
  expect(fired).toEqual([]);
  await gater.clock.pass(1);
  await eventually(() => expect(fired).toEqual([{ id, at: new Date(at), message: { order: 'a' } }]));
  await eventually(() => expect(running.health()).toMatchObject({ status: 'running', pending: 0 }));
});

test('timers fire in the order of their times, and what is past fires at once', async () => {
  const fired: string[] = [];
  const running = await reminders(({ message }) => void fired.push(message.order)).start();
  await running.schedule({ at: inMs(3_000), message: { order: 'c' } });
  await running.schedule({ at: new Date(inMs(2_000)), message: { order: 'b' } });
  await running.schedule({ at: new Date(inMs(-1)).toISOString(), message: { order: 'a' } });
  await eventually(async () => {
    await gater.clock.pass(500);
    expect(fired).toEqual(['a', 'b', 'c']);
  });
});

test('a timer that was cancelled does not fire', async () => {
  const running = await reminders().start();
  const id = await running.schedule({ at: inMs(1_000), message: { order: 'a' } });
  await running.cancel(id);
  await eventually(() => expect(running.health().pending).toBe(0));
  await gater.clock.pass(2_000);
  expect(await reminded('a')).toBe(0);
});

test('a restart finds the timers that wait, fires those that became due, and no fired one again', async () => {
  const first = await reminders().start();
  await first.schedule({ at: inMs(1_000), message: { order: 'a' } });
  await first.schedule({ at: inMs(5_000), message: { order: 'b' } });
  await eventually(async () => {
    await gater.clock.pass(100);
    expect(first.health().pending).toBe(1);
  });
  await first.stop();
  await gater.clock.pass(10_000);
  expect(await reminded('b')).toBe(0);
  const fired: string[] = [];
  const second = await reminders(({ message }) => void fired.push(message.order)).start();
  await eventually(async () => {
    await settle();
    expect([fired, second.health().pending]).toEqual([['b'], 0]);
  });
  expect([await reminded('a'), await reminded('b')]).toEqual([1, 1]);
});

test('nothing fires before the whole stream is known, which may cancel it', async () => {
  const id = await reminders().schedule({ at: inMs(0), message: { order: 'a' } });
  const { events } = await gater.getEvents({ storeId: 'default', streamId: 'timers-reminders' });
  const gate = Promise.withResolvers<void>();
  const slow = Object.assign(Object.create(gater) as TestGater, {
    async *follow(...[, options]: Parameters<TestGater['follow']>) {
      yield* events;
      await gate.promise;
      yield { ...events[0], type: 'timer_cancelled', version: 1, data: { timerId: id } };
      options?.onCaughtUp?.(2);
      await new Promise((resolve) => options?.signal?.addEventListener('abort', resolve));
    },
  });
  const fired = vi.fn();
  const running = timers<Reminder>({ gater: slow, name: 'reminders', fire: fired, clock: gater.clock });
  const starting = running.start();
  for (let turn = 0; turn < 5; turn += 1) await gater.clock.pass(1_000);
  expect(running.health().pending).toBe(1);
  gate.resolve();
  await starting;
  await gater.clock.pass(1_000);
  expect(fired).not.toHaveBeenCalled();
  await running.stop();
});

test('a timer whose effects succeeded and whose firing then failed fires again, with one effect', async () => {
  let failures = 2;
  const running = await reminders(() => {
    if (failures-- > 0) throw new Error('not now');
  }).start();
  await running.schedule({ at: inMs(0), message: { order: 'a' } });
  await eventually(async () => {
    await settle();
    expect(running.health()).toMatchObject({ pending: 1, failing: 1, error: { message: 'not now' } });
  });
  await eventually(async () => {
    await gater.clock.pass(1_000);
    expect(running.health()).toMatchObject({ pending: 0, failing: 0 });
  });
  expect(await reminded('a')).toBe(1);
});

test('a timer that another one holds up does not wait for it', async () => {
  const fired: string[] = [];
  const running = await reminders(({ message }) => {
    if (message.order === 'bad') throw new Error('never');
    fired.push(message.order);
  }).start();
  await running.schedule({ at: inMs(0), message: { order: 'bad' } });
  await running.schedule({ at: inMs(0), message: { order: 'good' } });
  await eventually(async () => {
    await settle();
    expect(fired).toEqual(['good']);
  });
});

test('the same id is scheduled once, with the first time and message', async () => {
  const fired: string[] = [];
  const running = reminders(({ message }) => void fired.push(message.order));
  for (const order of ['a', 'a', 'b']) await running.schedule({ id: 't', at: inMs(0), message: { order } });
  await running.start();
  await eventually(async () => {
    await settle();
    expect(running.health().pending).toBe(0);
    expect(fired).toEqual(['a']);
  });
});

test('two processes with the same timers cause each effect once', async () => {
  const both = await Promise.all([reminders().start(), reminders().start()]);
  for (let n = 0; n < 5; n += 1) await both[0].schedule({ at: inMs(1_000), message: { order: `${n}` } });
  await eventually(async () => {
    await gater.clock.pass(1_000);
    expect(both.map((one) => one.health().pending)).toEqual([0, 0]);
  });
  for (let n = 0; n < 5; n += 1) expect(await reminded(`${n}`)).toBe(1);
});

test('a start reads only what may still hold a timer that waits', async () => {
  const first = await reminders(undefined, 2_000).start();
  for (let n = 0; n < 600; n += 1) {
    await first.cancel(await first.schedule({ at: inMs(9_000_000), message: { order: 'x' } }));
  }
  await first.schedule({ at: inMs(9_000_000), message: { order: 'y' } });
  await eventually(() => expect(first.health().pending).toBe(1));
  await first.stop();
  const reads = vi.spyOn(gater, 'follow');
  const second = await reminders().start();
  expect(second.health().pending).toBe(1);
  expect(reads.mock.calls[0]?.[0].after).toBeGreaterThan(400);
});

test('more timers than may wait are said in health', async () => {
  const running = reminders(undefined, 2);
  for (let n = 0; n < 3; n += 1) await running.schedule({ at: inMs(1_000), message: { order: 'a' } });
  await expect(running.start()).rejects.toThrow('more than 2 timers');
  expect(running.health()).toMatchObject({ status: 'failed' });
});

test('timers of a client that was closed wait, and say so', async () => {
  const running = await reminders().start();
  await gater.close();
  await eventually(() => expect(running.health()).toMatchObject({ status: 'retrying' }));
  await running.stop();
  expect(running.health().status).toBe('idle');
});

test.each([Number.NaN, 'tomorrow', new Date(Number.NaN), 1e17])('%j is not a time', async (at) => {
  await expect(reminders().schedule({ at, message: { order: 'a' } })).rejects.toMatchObject({
    code: 'invalid_argument',
    reason: 'at',
  });
});
