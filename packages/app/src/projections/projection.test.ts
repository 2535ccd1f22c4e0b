import { createFakeClock } from '@esdb-gater/primitives/testing';
import { GaterError } from '@esdb-gater/types';
import { afterEach, beforeEach, describe, expect, expectTypeOf, test } from 'vitest';
import { eventually } from '../../tests/support/eventually.ts';
import type { EventOf } from '../events.ts';
import { createTestGater, type TestGater } from '../testing/index.ts';
import { type MemoryModel, type MemoryProjections, memoryProjections } from './memory-projections.ts';
import { type Projection, projection } from './projection.ts';
import type { ProjectionProgress } from './projection-health.ts';
import type { ProjectionStore } from './projection-store.ts';

type CountEvent = EventOf<{ added: { readonly n: number }; noted: { readonly text: string } }>;
interface Tables {
  sums: { readonly sum: number; readonly applied: readonly number[] };
}

let gater: TestGater<CountEvent>;
let store: MemoryProjections<Tables>;
const open: Projection[] = [];

beforeEach(() => {
  gater = createTestGater<CountEvent>();
  store = memoryProjections<Tables>();
});
afterEach(async () => {
  for (const one of open.splice(0)) await one.stop();
  await gater.close();
});

interface Options {
  readonly version?: number;
  readonly batchEvents?: number;
  readonly before?: (n: number) => void | Promise<void>;
  readonly onProgress?: (progress: ProjectionProgress) => void;
  readonly over?: TestGater<CountEvent>;
  readonly into?: ProjectionStore<MemoryModel<Tables>>;
}

function sums({ before, over = gater, into = store, ...options }: Options = {}): Projection {
  const made = projection({
    gater: over,
    name: 'sums',
    events: ['added'],
    store: into,
    async handle({ data, position }, { table }) {
      await before?.(data.n);
      const { sum, applied } = table('sums').get('all') ?? { sum: 0, applied: [] };
      table('sums').set('all', { sum: sum + data.n, applied: [...applied, position] });
    },
    retry: { baseDelayMs: 1_000, maxDelayMs: 1_000, maxAttempts: 3 },
    clock: over.clock,
    ...options,
  });
  open.push(made);
  return made;
}

async function add(...numbers: readonly number[]): Promise<number> {
  const events = numbers.map((n) => ({ type: 'added', data: { n } }) as const);
  return (await gater.appendEvents({ storeId: 'default', streamId: 's', events })).position;
}
const note = () =>
  gater.appendEvents({
    storeId: 'default',
    streamId: 's',
    events: [{ type: 'noted', data: { text: 'x' } }],
  });
const sum = (): number | undefined => store.table('sums').get('all')?.sum;

test('past events are applied, then each new one, each once', async () => {
  await add(1, 2, 3);
  const running = await sums().start();
  await running.reached();
  expect([sum(), running.health().status]).toEqual([6, 'live']);
  const position = await add(4);
  await running.reached(position);
  expect(store.table('sums').get('all')).toEqual({ sum: 10, applied: [1, 2, 3, 4] });
  expect(running.health()).toMatchObject({ live: { generation: 1, version: 1, position: 4 } });
});

test('a position whose event is not wanted is reached, too', async () => {
  const running = await sums().start();
  await add(1);
  const { position } = await note();
  await running.reached(position);
  expect(sum()).toBe(1);
});

test('a stopped projection goes on after its checkpoint', async () => {
  await add(1, 2);
  const running = await sums().start();
  await running.reached();
  await running.stop();
  expect(running.health().status).toBe('idle');
  await add(3);
  await running.start();
  await running.reached();
  expect(store.table('sums').get('all')).toEqual({ sum: 6, applied: [1, 2, 3] });
});

test('two processes with the same projection apply each event once', async () => {
  const both = [sums({ batchEvents: 3 }), sums({ batchEvents: 2 })] as const;
  await Promise.all(both.map((one) => one.start()));
  let position = 0;
  for (let turn = 1; turn <= 40; turn += 1) position = await add(turn);
  await Promise.all(both.map((one) => one.reached(position)));
  expect(store.table('sums').get('all')?.applied).toEqual(Array.from({ length: 40 }, (_, i) => i + 1));
});

describe('an event that fails', () => {
  test('is tried again, and applied once', async () => {
    let failures = 2;
    const running = sums({
      before(n) {
        if (n === 3 && failures-- > 0) throw new Error('not yet');
      },
    });
    await add(1, 2, 3, 4);
    await running.start();
    await eventually(() => expect(running.health().status).toBe('retrying'));
    expect(running.health().live?.error).toEqual({ message: 'not yet', attempts: 1, position: 3 });
    await gater.clock.pass(1_000);
    await gater.clock.pass(1_000);
    await running.reached();
    expect(store.table('sums').get('all')).toEqual({ sum: 10, applied: [1, 2, 3, 4] });
  });

  test('stops the projection after the last attempt, with all before it applied', async () => {
    let isBroken = true;
    const running = sums({
      before(n) {
        if (n === 3 && isBroken) throw new GaterError('internal', 'broken');
      },
    });
    await add(1, 2, 3, 4);
    await running.start();
    const waiting = running.reached();
    waiting.catch(() => undefined);
    await eventually(async () => {
      await gater.clock.pass(1_000);
      expect(running.health().status).toBe('failed');
    });
    expect(sum()).toBe(3);
    expect(running.health().live).toMatchObject({
      position: 2,
      error: { message: 'broken', code: 'internal', position: 3, attempts: 3 },
    });
    await expect(waiting).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('broken'),
    });
    isBroken = false;
    await running.start();
    await running.reached();
    expect(sum()).toBe(10);
  });
});

test('a database that cannot be reached is waited for, however often it is tried', async () => {
  await add(1, 2);
  let outages = 10;
  const outage = async () => {
    throw new Error('connection refused');
  };
  const flaky: ProjectionStore<MemoryModel<Tables>> = {
    generations: (name) => store.generations(name),
    create: (name, version) => store.create(name, version),
    begin: (...args) => (outages-- > 0 ? outage() : store.begin(...args)),
    switchTo: (name, generation) => store.switchTo(name, generation),
  };
  const running = await sums({ into: flaky }).start();
  await eventually(() => expect(running.health().status).toBe('retrying'));
  expect(running.health().live?.error).toEqual({ message: 'connection refused', attempts: 1 });
  await eventually(async () => {
    await gater.clock.pass(1_000);
    expect(running.health().status).toBe('live');
  });
  expect([outages < 0, sum()]).toEqual([true, 3]);
});

test('metrics that fail do not hold up a projection', async () => {
  await add(1, 2);
  const onProgress = () => {
    throw new Error('the exporter is down');
  };
  const running = await sums({ onProgress }).start();
  // Nothing moves the clock: a retry would never come.
  await running.reached();
  expect(running.health().live).not.toHaveProperty('error');
});

describe('a rebuild', () => {
  test('runs next to the live generation, which readers see until the switch', async () => {
    let factor = 1;
    const gate = Promise.withResolvers<void>();
    const scaled = projection({
      gater,
      name: 'scaled',
      events: ['added'],
      store,
      async handle({ data }, { table, generation }) {
        if (generation === 2) await gate.promise;
        const old = table('sums').get('all')?.sum ?? 0;
        table('sums').set('all', { sum: old + data.n * factor, applied: [] });
      },
    });
    open.push(scaled);
    await add(1, 2);
    await scaled.start();
    await scaled.reached();
    factor = 10;
    const rebuilt = scaled.rebuild();
    await eventually(() => expect(scaled.health().rebuild?.generation).toBe(2));
    const position = await add(3);
    await scaled.reached(position);
    expect(sum()).toBe(33);
    gate.resolve();
    await rebuilt;
    expect(sum()).toBe(60);
    expect(scaled.health()).toMatchObject({ status: 'live', live: { generation: 2 } });
    expect(await store.generations('scaled')).toHaveLength(1);
    await scaled.reached(await add(4));
    expect(sum()).toBe(100);
  });

  test('begins by itself when the version grows, and the older version then leaves', async () => {
    await add(1, 2);
    const old = await sums().start();
    await old.reached();
    const young = await sums({ version: 2 }).start();
    await young.reached();
    expect(young.health().live).toMatchObject({ generation: 2, version: 2 });
    await young.reached(await add(3));
    await eventually(() => expect(old.health().status).toBe('replaced'));
    expect(store.table('sums').get('all')).toEqual({ sum: 6, applied: [1, 2, 3] });
    await expect(old.reached()).rejects.toMatchObject({ code: 'unavailable' });
    const late = await sums().start();
    expect(late.health()).toEqual({ name: 'sums', status: 'replaced' });
    await expect(late.rebuild()).rejects.toMatchObject({ code: 'unavailable' });
    expect(await store.generations('sums')).toHaveLength(1);
  });

  test('of another process is followed by this one', async () => {
    await add(1);
    const [one, two] = [await sums().start(), await sums().start()];
    await Promise.all([one.reached(), two.reached()]);
    await one.rebuild();
    const position = await add(2);
    await eventually(() => expect(two.health().live?.generation).toBe(2));
    await two.reached(position);
    expect(store.table('sums').get('all')).toEqual({ sum: 3, applied: [1, 2] });
  });

  test('that was interrupted goes on with the next start', async () => {
    await add(1, 2);
    const first = await sums().start();
    await first.reached();
    await first.stop();
    await store.create('sums', 1);
    const second = await sums().start();
    await eventually(() => expect(second.health().live?.generation).toBe(2));
    expect(store.table('sums').get('all')).toEqual({ sum: 3, applied: [1, 2] });
  });
});

test('a store that was begun anew asks for a rebuild, and is never read on as if nothing were missing', async () => {
  await add(1, 2, 3);
  const first = await sums().start();
  await first.reached();
  await first.stop();
  const anew = createTestGater<CountEvent>();
  try {
    const appends = [9, 9, 9, 9].map((n) => ({ type: 'added', data: { n } }) as const);
    await anew.appendEvents({ storeId: 'default', streamId: 'other', events: appends });
    const second = await sums({ over: anew }).start();
    await eventually(() => expect(second.health().status).toBe('rebuild_needed'));
    expect(sum()).toBe(6);
    expect(second.health().live?.error).toMatchObject({ code: 'invalid_argument' });
    await second.rebuild();
    expect([sum(), second.health().status]).toEqual([36, 'live']);
    await second.stop();
  } finally {
    await anew.close();
  }
});

test('the lag is what waits, and every commit is reported', async () => {
  const progress: ProjectionProgress[] = [];
  const running = sums({ batchEvents: 2, onProgress: (one) => progress.push(one) });
  expect(running.health()).toEqual({ name: 'sums', status: 'idle' });
  await add(1, 2, 3);
  gater.clock.advance(5_000);
  expect(await running.lag()).toEqual({ positions: 3, ms: 5_000 });
  await running.start();
  await running.reached();
  await note();
  expect(await running.lag()).toEqual({ positions: 0, ms: 0 });
  expect(progress.map(({ position, events, lagMs }) => [position, events, lagMs])).toEqual([
    [2, 2, 5_000],
    [3, 1, 5_000],
  ]);
});

test('a wait ends with its time limit, its signal, and the end of the projection', async () => {
  const clock = createFakeClock();
  const gate = Promise.withResolvers<void>();
  await add(1);
  const running = await sums({ before: () => gate.promise }).start();
  const late = running.reached(1, { timeoutMs: 100 });
  late.catch(() => undefined);
  await gater.clock.pass(100);
  await expect(late).rejects.toMatchObject({ code: 'timeout' });
  const signal = AbortSignal.abort(new Error('gone'));
  await expect(running.reached(1, { signal })).rejects.toThrow('gone');
  gate.resolve();
  await running.stop();
  await expect(running.reached(1_000)).rejects.toMatchObject({ code: 'unavailable' });
  expect(clock.timers).toBe(0);
});

test('a projection of a client that was closed waits, and says so', async () => {
  const running = await sums().start();
  await running.reached();
  await gater.close();
  await eventually(() => expect(running.health().status).toBe('retrying'));
  expect(running.health().live?.error).toMatchObject({ code: 'unavailable' });
  await running.stop();
});

test('the event of `handle` has the types that were asked for', () => {
  projection({
    gater,
    name: 'typed',
    events: ['noted'],
    store,
    handle(event, { table }) {
      expectTypeOf(event.data).toEqualTypeOf<{ readonly text: string }>();
      expectTypeOf(table('sums').get('x')?.sum).toEqualTypeOf<number | undefined>();
    },
  });
  projection({
    gater,
    name: 'all',
    events: 'all',
    store,
    handle(event) {
      expectTypeOf(event.type).toEqualTypeOf<'added' | 'noted'>();
    },
  });
  // @ts-expect-error an event that the program does not have
  projection({ gater, name: 'wrong', events: ['nothing'], store, handle() {} });
});

test.each([
  [{ version: 0 }, 'version'],
  [{ batchEvents: 0 }, 'batchEvents'],
])('%j is refused', (options, member) => {
  expect(() => sums(options)).toThrow(`\`${member}\` must be an integer`);
});
