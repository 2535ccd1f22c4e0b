import { createMemoryStore, createStoreWorker, createSubscriptions } from '@esdb-gater/event-store';
import type { Gater } from '@esdb-gater/gater';
import { createGater } from '@esdb-gater/gater/in-process';
import { uuidV7 } from '@esdb-gater/primitives';
import { createRegistry } from '@esdb-gater/registry';
import { GaterError } from '@esdb-gater/types';
import { afterEach, beforeEach, expect, expectTypeOf, test } from 'vitest';
import { eventually } from '../../tests/support/eventually.ts';
import { commandHandler } from '../commands/command-handler.ts';
import { derivedId } from '../derived-id.ts';
import type { EventOf } from '../events.ts';
import { createTestGater, type TestGater } from '../testing/index.ts';
import { type Reactor, reactor } from './reactor.ts';

type MailEvent = EventOf<{
  ordered: { readonly order: string };
  mailed: { readonly order: string };
  noted: { readonly text: string };
}>;

let gater: TestGater<MailEvent>;
const open: Reactor[] = [];
beforeEach(() => {
  gater = createTestGater<MailEvent>();
});
afterEach(async () => {
  for (const one of open.splice(0)) await one.stop();
  await gater.close();
});

const mail = (over: Gater<MailEvent>) =>
  commandHandler({
    gater: over,
    streamId: ({ order }: { readonly order: string }) => `mails-${order}`,
    initialState: 0,
    evolve: (count) => count + 1,
    decide: ({ order }) => ({ type: 'mailed', data: { order } }),
  });

const order = (id: string, metadata = {}) =>
  gater.appendEvents({
    storeId: 'default',
    streamId: `orders-${id}`,
    events: [{ type: 'ordered', data: { order: id }, metadata }],
  });

async function streamOf(streamId: string) {
  return (await gater.getEvents({ storeId: 'default', streamId })).events;
}

const RETRY = { baseDelayMs: 1_000, maxDelayMs: 1_000, maxAttempts: 3 };

function mailer(before?: (attempt: number) => void, over: Gater<MailEvent> = gater): Reactor {
  const handle = mail(over);
  let attempts = 0;
  const made = reactor({
    gater: over,
    name: 'mailer',
    on: ['ordered'],
    async react(event, effects) {
      expectTypeOf(event.data).toEqualTypeOf<{ readonly order: string }>();
      await effects.handle(handle, { order: event.data.order });
      await effects.append({
        streamId: `log-${event.data.order}`,
        events: [{ type: 'noted', data: { text: 'mailed' } }],
      });
      before?.(++attempts);
    },
    retry: RETRY,
    clock: gater.clock,
  });
  open.push(made);
  return made;
}

test('an event causes commands and events, whose causes they name', async () => {
  await order('a', { correlationId: 'session-1' });
  const running = await mailer().start();
  await eventually(() =>
    expect(running.health()).toMatchObject({ status: 'running', handled: 1, position: 1 }),
  );
  const [ordered] = await streamOf('orders-a');
  const causes = { correlationId: 'session-1', causationId: ordered?.id };
  expect(await streamOf('mails-a')).toMatchObject([{ type: 'mailed', metadata: causes }]);
  expect(await streamOf('log-a')).toMatchObject([{ type: 'noted', metadata: causes }]);
});

test('a reaction that failed after its effects runs again, and its effects happen once', async () => {
  const running = mailer((attempt) => {
    if (attempt < 3) throw new GaterError('unavailable', 'the last step failed');
  });
  await order('a');
  await running.start();
  await eventually(() => expect(running.health().error).toMatchObject({ code: 'unavailable', position: 1 }));
  await eventually(async () => {
    await gater.clock.pass(1_000);
    expect(running.health().handled).toBe(1);
  });
  expect(running.health()).not.toHaveProperty('error');
  expect([(await streamOf('mails-a')).length, (await streamOf('log-a')).length]).toEqual([1, 1]);
});

test('an event that fails again and again is parked, and the others go on', async () => {
  let attempts = 0;
  const running = reactor({
    gater,
    name: 'picky',
    on: ['ordered'],
    react({ data }) {
      if (data.order !== 'bad') return;
      attempts += 1;
      throw new Error('never');
    },
    retry: RETRY,
    clock: gater.clock,
  });
  open.push(running);
  await order('bad');
  await order('good');
  await running.start();
  await eventually(async () => {
    await gater.clock.pass(1_000);
    const { events } = await gater.listParked({ storeId: 'default', name: 'picky' });
    expect(events.map(({ reason }) => reason)).toEqual(['never']);
  });
  expect(attempts).toBe(3);
  expect(running.health()).toMatchObject({ status: 'running', handled: 1, position: 2 });
});

test('two processes with the same reactor share the events, and each effect happens once', async () => {
  const store = createMemoryStore({ storeId: 'default' });
  const registry = createRegistry();
  registry.register(createStoreWorker(store, { nodeId: 'test' }));
  const subscriptions = createSubscriptions({ stores: [store] });
  const both: Reactor[] = [];
  for (let process = 0; process < 2; process += 1) {
    both.push(await mailer(undefined, createGater<MailEvent>({ registry, subscriptions })).start());
  }
  const orders = Array.from({ length: 20 }, (_, n) => `${n}`);
  for (const id of orders) {
    const events = [{ id: uuidV7(), type: 'ordered', data: { order: id } }];
    await store.appendEvents({ storeId: 'default', streamId: `orders-${id}`, events });
  }
  await eventually(() => {
    const handled = both.map((one) => one.health().handled);
    expect([handled.reduce((sum, one) => sum + one, 0), handled.includes(0)]).toEqual([20, false]);
  });
  for (const stream of orders.flatMap((id) => [`mails-${id}`, `log-${id}`])) {
    expect(await store.getVersion({ storeId: 'default', streamId: stream })).toEqual({ version: 0 });
  }
  await Promise.all(both.map((one) => one.stop()));
  await subscriptions.close();
  registry.close();
});

test('a reactor that is started again goes on after what it has acknowledged', async () => {
  await order('a');
  const running = await mailer().start();
  await eventually(() => expect(running.health().handled).toBe(1));
  await running.stop();
  expect(running.health().status).toBe('idle');
  await order('b');
  await running.start();
  await eventually(() => expect(running.health().handled).toBe(2));
});

test('a subscription that cannot be joined fails the start', async () => {
  await gater.saveSubscription({ storeId: 'default', name: 'mailer', type: 'event_type', selector: 'noted' });
  const running = mailer();
  await expect(running.start()).rejects.toMatchObject({ code: 'invalid_argument' });
  expect(running.health()).toMatchObject({ status: 'failed', error: { code: 'invalid_argument' } });
});

test('a reactor of a client that was closed stops taking events, and ends', async () => {
  const running = await mailer().start();
  await gater.close();
  await eventually(() => expect(['idle', 'retrying']).toContain(running.health().status));
  await running.stop();
  expect(running.health().status).toBe('idle');
});

test('ids of effects differ by cause, reactor and place, and are the same each time', () => {
  const ids = [
    derivedId('e', 'r', 0),
    derivedId('e', 'r', 1),
    derivedId('e', 'q', 0),
    derivedId('f', 'r', 0),
    derivedId('e,r', 0),
    derivedId('e', 'r,0'),
  ];
  expect(new Set(ids).size).toBe(ids.length);
  expect(derivedId('e', 'r', 0)).toBe(ids[0]);
  expect(ids[0]).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});
