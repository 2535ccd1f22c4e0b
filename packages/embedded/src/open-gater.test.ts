import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createMemoryStore } from '@esdb-gater/event-store';
import { GaterError } from '@esdb-gater/types';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type EmbeddedGater, openGater } from './index.ts';

// The same as a package that is not installed.
vi.mock('@esdb-gater/store-postgres', () => {
  throw new Error('Cannot find package');
});

const created = (name: string) => ({ type: 'created', data: { name } });

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'esdb-gater-embedded-'));
});
afterAll(() => rm(folder, { recursive: true }));

describe('with a store in memory', () => {
  test('calls that name no store use the only one', async () => {
    await using gater = await openGater({ stores: { orders: { engine: 'memory' } } });
    await gater.appendEvents({ streamId: 'a', events: [created('Ada')] });
    expect((await gater.getEvents({ storeId: 'orders', streamId: 'a' })).events).toMatchObject([
      created('Ada'),
    ]);
    expect(await gater.quickHealthCheck({})).toEqual({ workers: 1 });
    const types: string[] = [];
    for await (const { type } of gater.events({ streamId: 'a' })) types.push(type);
    for await (const { type } of gater.allEvents({})) types.push(type);
    expect(types).toEqual(['created', 'created']);
  });

  test('of several stores, calls that name none use `default` or the one of the options', async () => {
    const stores = { a: { engine: 'memory' }, b: { engine: 'memory' } } as const;
    await using gater = await openGater({ stores });
    await expect(gater.getVersion({ streamId: 's' })).rejects.toMatchObject({ code: 'store_not_found' });
    await using other = await openGater({ stores, storeId: 'b' });
    await other.appendEvents({ streamId: 's', events: [created('Ada')] });
    expect(await other.getVersion({ storeId: 'a', streamId: 's' })).toEqual({ version: -1 });
    expect(await other.getVersion({ storeId: 'b', streamId: 's' })).toEqual({ version: 0 });
  });

  test('committed events are messages on the channel `events`, past and live', async () => {
    await using gater = await openGater();
    await gater.appendEvents({ streamId: 'users-1', events: [created('Ada')] });
    const messages = await gater.subscribe({
      channel: 'events',
      topic: 'default.users-1.*',
      from: 'earliest',
    });
    const names: unknown[] = [];
    for await (const { message } of messages) {
      names.push((message as { data: { name: string } }).data.name);
      if (names.length === 2) break;
      await gater.appendEvents({ streamId: 'users-1', events: [created('Grace')] });
    }
    expect(names).toEqual(['Ada', 'Grace']);
  });

  test('persistent subscriptions, conditions and follows work as on a gateway', async () => {
    await using gater = await openGater();
    const condition = { failIfEventsMatch: { items: [{ tags: ['name:ada'] }] } };
    const events = [{ ...created('Ada'), tags: ['name:ada'] }];
    await gater.appendEvents({ streamId: 'a', events, condition });
    await expect(gater.appendEvents({ streamId: 'b', events, condition })).rejects.toMatchObject({
      code: 'append_condition_failed',
    });
    const subscription = await gater.saveSubscription({ name: 'mails', type: 'stream', selector: '$all' });
    for await (const { event, ack } of subscription) {
      expect(event.streamId).toBe('a');
      await ack();
      break;
    }
    expect((await gater.getSubscriptions({})).subscriptions).toMatchObject([
      { name: 'mails', checkpoint: 1 },
    ]);
    for await (const { streamId } of gater.follow({})) {
      expect(streamId).toBe('a');
      break;
    }
  });

  test('a channel that requires signatures takes messages that are signed with the secret', async () => {
    const alert = { channel: 'alerts', topic: 'disk.full', message: { host: 'a' } } as const;
    await using without = await openGater();
    await expect(without.publish(alert)).rejects.toMatchObject({ code: 'signature_required' });
    await using open = await openGater({ channels: { alerts: { requireSignature: false } } });
    expect(await open.publish(alert)).toMatchObject({ delivered: true });
  });
});

describe('with a SQLite file', () => {
  const options = () =>
    ({ stores: { default: { engine: 'sqlite', file: join(folder, 'events.db') } } }) as const;

  test('events are there after the program was started again, and are fed once more only when asked for', async () => {
    {
      await using gater = await openGater(options());
      await gater.appendEvents({ streamId: 's', events: [created('Ada')] });
    }
    await using gater = await openGater(options());
    expect((await gater.getEvents({ streamId: 's' })).events).toHaveLength(1);
    const live = await gater.subscribe({ channel: 'events', topic: '>' });
    await gater.appendEvents({ streamId: 's', events: [created('Grace')] });
    for await (const { message } of live) {
      expect(message).toMatchObject({ version: 1 });
      break;
    }
  });

  test('closing twice closes once, and releases the file also through a typed Gater', async () => {
    const gater = await openGater(options());
    const typed: EmbeddedGater<{ type: 'created'; data: { name: string } }> = gater.withEvents();
    await Promise.all([typed.close(), gater.close()]);
    await expect(gater.getVersion({ streamId: 's' })).rejects.toMatchObject({ code: 'unavailable' });
    await using again = await openGater(options());
    expect(await again.getVersion({ streamId: 's' })).toEqual({ version: 1 });
  });

  test('when one store cannot be opened, the others are closed again', async () => {
    const good = join(folder, 'good.db');
    const stores = {
      good: { engine: 'sqlite', file: good },
      bad: { engine: 'sqlite', file: join(folder, 'missing', 'bad.db') },
    } as const;
    await expect(openGater({ stores })).rejects.toMatchObject({ code: 'unavailable' });
    expect(existsSync(good)).toBe(true);
    await using gater = await openGater({ stores: { good: stores.good } });
    expect(await gater.getVersion({ streamId: 's' })).toEqual({ version: -1 });
  });
});

test('a store that the program has opened stays open', async () => {
  const store = createMemoryStore({ storeId: 'mine' });
  {
    await using gater = await openGater({ stores: { mine: store } });
    await gater.appendEvents({ streamId: 's', events: [created('Ada')] });
  }
  expect(await store.getVersion({ storeId: 'mine', streamId: 's' })).toEqual({ version: 0 });
  await store.close();
});

test.each([
  ['an unknown engine', { engine: 'oracle' }, { code: 'invalid_argument', reason: 'engine' }],
  [
    'an engine whose package is not installed',
    { engine: 'postgres', url: 'postgres://nowhere' },
    { code: 'not_supported', message: expect.stringContaining('npm install @esdb-gater/store-postgres') },
  ],
])('%s is refused by name', async (_, store, error) => {
  const opened = openGater({ stores: { default: store as never } });
  await expect(opened).rejects.toSatisfy(GaterError.is);
  await expect(opened).rejects.toMatchObject(error);
});
