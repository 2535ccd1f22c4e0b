import { createFakeClock, type FakeClock } from '@esdb-gater/primitives/testing';
import {
  type EventStore,
  GaterError,
  type JoinedConsumer,
  type RecordedEvent,
  type SubscriptionState,
} from '@esdb-gater/types';
import { expect, test } from 'vitest';
import { createMemoryStore } from '../memory-store.ts';
import { createMemorySubscriptionState } from '../memory-subscription-state.ts';
import type { SubscribedStore } from './subscribed-store.ts';
import { createSubscriptions } from './subscriptions.ts';

const ALL = { storeId: 's', name: 'sub', type: 'stream', selector: '$all' } as const;

/** A store whose database a test can replace while its subscriptions stay, and whose state it can fail. */
function trial(clock: FakeClock = createFakeClock()) {
  let inner: EventStore = createMemoryStore({ storeId: 's' });
  const listeners = new Set<(position: number) => void>();
  const kept = createMemorySubscriptionState();
  const fails: { park?: GaterError } = {};
  const state: SubscriptionState = {
    list: () => kept.list(),
    load: (name) => kept.load(name),
    create: (subscription) => kept.create(subscription),
    saveCheckpoint: (name, position) => kept.saveCheckpoint(name, position),
    reset: (...args) => kept.reset(...args),
    remove: (name) => kept.remove(name),
    listParked: (name, filter) => kept.listParked(name, filter),
    markReplay: (name, ids) => kept.markReplay(name, ids),
    unpark: (name, positions) => kept.unpark(name, positions),
    park: async (name, record) => {
      if (fails.park !== undefined) throw fails.park;
      await kept.park(name, record);
    },
  };
  const store: SubscribedStore = {
    storeId: 's',
    readAll: (params, context) => inner.readAll(params, context),
    getEvents: (params, context) => inner.getEvents(params, context),
    onCommitted(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    subscriptionState: state,
  };
  const append = async (count: number, streamId = 'a'): Promise<void> => {
    const events = Array.from({ length: count }, (_, data) => ({ type: 't', data }));
    const { position } = await inner.appendEvents({ storeId: 's', streamId, events });
    for (const listener of [...listeners]) listener(position);
  };
  const open = () => createSubscriptions({ stores: () => store, clock });
  return {
    clock,
    append,
    open,
    state,
    fails,
    restore: () => {
      inner = createMemoryStore({ storeId: 's' });
    },
  };
}

/** A consumer that keeps what it gets. */
async function consume(subscriptions: ReturnType<typeof createSubscriptions>, more: object = {}) {
  const got: RecordedEvent[] = [];
  const consumer: JoinedConsumer = await subscriptions.join(
    { ...ALL, ...more },
    { deliver: ({ eventText }) => void got.push(JSON.parse(eventText) as RecordedEvent), ended: () => {} },
  );
  const ack = (event?: RecordedEvent) =>
    consumer.ack({ streamId: event?.streamId ?? '', eventNumber: event?.version ?? -1 });
  return { got, consumer, ack };
}

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  for (let turn = 0; !(await holds()); turn++) {
    if (turn > 10_000) expect.unreachable('this never happened');
    await new Promise((resolve) => setImmediate(resolve));
  }
}

test('after a restore a subscription goes back to the last proven point, and health says so', async () => {
  const { clock, append, open, state, restore } = trial();
  await append(3);
  const first = open();
  const before = await consume(first);
  await until(() => before.got.length === 3);
  for (const event of before.got) await before.ack(event);
  await first.close();
  expect((await state.load('sub'))?.checkpoint).toMatchObject({ position: 3, proof: expect.any(String) });
  restore();
  await append(5);
  const again = open();
  const { got, ack } = await consume(again);
  await until(() => got.length === 5);
  expect(got.map(({ position }) => position)).toEqual([1, 2, 3, 4, 5]);
  expect(again.problems()).toEqual([
    { storeId: 's', message: expect.stringContaining('events after position 0 are delivered again') },
  ]);
  for (const event of got) await ack(event);
  clock.advance(1_000);
  await until(async () => (await state.load('sub'))?.checkpoint.position === 5);
  await again.close();
  // A plain restart raises no alarm, and delivers nothing again.
  const third = open();
  const last = await consume(third);
  await append(1);
  await until(() => last.got.length === 1);
  expect([last.got[0]?.position, third.problems()]).toEqual([6, []]);
  await third.close();
});

test('a subscription with consumers that does not move for a minute is a problem', async () => {
  const { clock, append, open } = trial();
  const subscriptions = open();
  await append(1);
  const { got, consumer, ack } = await consume(subscriptions, { ackTimeoutMs: 86_400_000 });
  await until(() => got.length === 1);
  clock.advance(59_000);
  expect(subscriptions.problems()).toEqual([]);
  clock.advance(2_000);
  expect(subscriptions.problems()).toEqual([
    { storeId: 's', message: 'subscription "sub" has consumers and events, but has not moved for 61 s' },
  ]);
  expect(subscriptions.stats()).toMatchObject([
    { inFlight: 1, lag: 1, oldestUnackedMs: 61_000, consumers: 1 },
  ]);
  await ack(got[0]);
  expect(subscriptions.problems()).toEqual([]);
  // An event that waits for its delay does not make it unhealthy, nor does a subscription without consumers.
  await append(1);
  await until(() => got.length === 2);
  await consumer.nack({ streamId: 'a', eventNumber: 1, action: 'retry', delayMs: 3_600_000 });
  clock.advance(600_000);
  expect(subscriptions.problems()).toEqual([]);
  consumer.leave();
  clock.advance(600_000);
  expect(subscriptions.problems()).toEqual([]);
  await subscriptions.close();
});

test('the checkpoint does not pass an event before it is parked for good', async () => {
  const { clock, append, open, state, fails } = trial();
  const subscriptions = open();
  await append(2);
  const { got, consumer, ack } = await consume(subscriptions);
  await until(() => got.length === 2);
  fails.park = new GaterError('unavailable', 'the disk is full');
  let isParked = false;
  const parking = consumer.nack({ streamId: 'a', eventNumber: 0, action: 'park' }).then((checkpoint) => {
    isParked = true;
    return checkpoint;
  });
  expect(await ack(got[1])).toBe(0);
  await clock.pass(10_000);
  expect([isParked, (await state.load('sub'))?.checkpoint.position]).toEqual([false, 0]);
  expect(subscriptions.problems()[0]?.message).toContain('the disk is full');
  delete fails.park;
  await clock.pass(10_000);
  expect(await parking).toBe(2);
  await clock.pass(1_000);
  expect(await state.load('sub')).toMatchObject({ parked: 1, checkpoint: { position: 2 } });
  expect(subscriptions.problems()).toEqual([]);
  await subscriptions.close();
});

test('a maker has a bounded number of subscriptions, which leaves room for others', async () => {
  const store = createMemoryStore({ storeId: 's' });
  const subscriptions = createSubscriptions({ stores: [store] }, { maxPerMaker: 2, maxPerStore: 3 });
  const save = (name: string, maker: string) => subscriptions.save({ ...ALL, name }, maker);
  await save('1', 'one');
  await save('2', 'one');
  const refusal = { code: 'invalid_argument', reason: 'too_many_subscriptions' };
  await expect(save('3', 'one')).rejects.toMatchObject({ ...refusal, limit: 2 });
  await save('2', 'one');
  await save('3', 'two');
  await expect(save('4', 'two')).rejects.toMatchObject({ ...refusal, limit: 3 });
  await subscriptions.remove({ storeId: 's', name: '1' });
  await save('4', 'two');
  await subscriptions.close();
});

test('what a subscription buffers is bounded, and the others share what is left', async () => {
  const { append, open } = trial();
  const events = 9_000;
  for (let done = 0; done < events; done += 1_000) await append(1_000);
  const subscriptions = open();
  const { got, consumer } = await consume(subscriptions, { maxInFlight: 10_000 });
  await until(() => got.length === 5_000);
  for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
  expect(got.length).toBe(5_000);
  await consumer.ack({ streamId: 'a', eventNumber: 999, upTo: true });
  await until(() => got.length === 6_000);
  await subscriptions.close();
});
