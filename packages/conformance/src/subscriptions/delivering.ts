import assert from 'node:assert/strict';
import type { JsonValue, SubscriptionType } from '@esdb-gater/types';
import { append, newEvent, refuses } from '../store/harness.ts';
import { all, join, listed, type SubscriptionCase, TestConsumer, write } from './harness.ts';

const SELECTORS: readonly (readonly [SubscriptionType, JsonValue, string])[] = [
  ['stream', 'a', '0 3'],
  ['stream', '$all', '0 1 2 3 4'],
  ['event_type', 'opened', '0 1'],
  ['event_type', ['opened', 'closed'], '0 1 2'],
  ['event_pattern', { type: 'opened', data: { at: { city: 'Bern' } } }, '0'],
  ['event_pattern', { tags: ['x', 'y'] }, '1'],
  ['event_pattern', { metadata: { by: null } }, '2'],
  ['event_pattern', { streamId: 'b', type: 'other' }, '4'],
  ['event_pattern', {}, '0 1 2 3 4'],
  ['event_payload', { at: { city: 'Bern' } }, '0 2'],
  ['event_payload', { list: [1, { z: 1, a: 2 }] }, '3'],
  ['event_payload', { ['__proto__']: 1 }, '4'],
  ['tags', { any: ['y', 'z'] }, '1 2'],
  ['tags', { all: ['x', 'y'] }, '1'],
];

export const delivering: readonly SubscriptionCase[] = [
  {
    title: 'a subscription catches up, and then goes on live without a gap or a duplicate',
    async body({ opened }) {
      const { store } = opened;
      for (let round = 0; round < 6; round++) {
        await append(
          store,
          `s${round % 3}`,
          Array.from({ length: 100 }, () => newEvent()),
        );
      }
      const consumer = new TestConsumer();
      consumer.autoAck = true;
      await join(opened, {}, consumer);
      for (let round = 0; round < 100; round++) await append(store, `s${round % 7}`, [newEvent()]);
      await consumer.got(700);
      await consumer.gotNoMore();
      assert.deepEqual(
        consumer.all.map(({ event }) => event.position),
        Array.from({ length: 700 }, (_, index) => index + 1),
      );
      assert.ok(consumer.all.every(({ attempt }) => attempt === 1));
    },
  },
  {
    title: 'each of the five kinds of selector selects what it names',
    async body({ opened }) {
      const { store, subscriptions } = opened;
      const events = [
        ['a', newEvent('opened', { data: { at: { city: 'Bern', zip: 3000 } } })],
        ['b', newEvent('opened', { tags: ['x', 'y'] })],
        [
          'b',
          newEvent('closed', {
            data: { at: { city: 'Bern' } },
            metadata: { by: null },
            tags: ['y', 'x', 'z'].slice(2),
          }),
        ],
        ['a', newEvent('other', { data: { list: [1, { a: 2, z: 1 }] } })],
        ['b', newEvent('other', { data: JSON.parse('{"__proto__": 1}') as JsonValue })],
      ] as const;
      for (const [streamId, event] of events) await append(store, streamId, [event]);
      for (const [index, [type, selector, wanted]] of SELECTORS.entries()) {
        const consumer = await join(opened, { name: `n${index}`, type, selector });
        await append(store, 'mark', [newEvent('mark')]);
        const expected = wanted.split(' ').map(Number);
        await consumer.got(expected.length);
        const found = consumer.all.map(({ event }) => event.position - 1).filter((at) => at < events.length);
        assert.deepEqual(found, expected, `${type} ${JSON.stringify(selector)}`);
        consumer.joined?.leave();
        await subscriptions.remove({ storeId: store.storeId, name: `n${index}` });
      }
    },
  },
  {
    title: 'a subscription starts after a position, or at the end that the store had when it was made',
    async body({ opened }) {
      const { store, subscriptions } = opened;
      await write(store, 'a a a');
      const late = await subscriptions.save(all(store, { name: 'late', startFrom: 'latest' }));
      assert.deepEqual([late.startFrom, late.checkpoint, late.lag], ['latest', 3, 0]);
      await write(store, 'a');
      const latest = await join(opened, { name: 'late', startFrom: 'latest' });
      const third = await join(opened, { name: 'third', startFrom: 2 });
      await Promise.all([latest.got(1), third.got(2)]);
      assert.deepEqual([latest.names, third.names], [['a/3'], ['a/2', 'a/3']]);
    },
  },
  {
    title: 'a list says what a subscription is and where it stands',
    async body({ opened }) {
      const { store, subscriptions } = opened;
      await write(store, 'a a a');
      const consumer = await join(opened, { startFrom: 1 });
      const { event } = (await consumer.got(2))[0] as (typeof consumer.all)[number];
      assert.equal(await consumer.ack(event), 2);
      const { createdAt, ...rest } = await listed(opened);
      assert.match(createdAt, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
      assert.deepEqual(rest, {
        ...{ storeId: store.storeId, name: 'sub', type: 'stream', selector: '$all', startFrom: 1 },
        ...{ checkpoint: 2, lag: 1, parked: 0, subscribers: 1 },
      });
      assert.deepEqual(await subscriptions.get({ storeId: store.storeId, name: 'sub' }), {
        ...rest,
        createdAt,
      });
      const unknown = { storeId: store.storeId, name: 'none' };
      await refuses(subscriptions.get(unknown), 'subscription_not_found', { name: 'none' });
      await refuses(subscriptions.list('other'), 'store_not_found');
    },
  },
  {
    title: 'joining with another type or selector is refused, and so is removing',
    async body({ opened }) {
      const { store, subscriptions } = opened;
      const mismatch = { reason: 'subscription_mismatch' };
      const made = { type: 'event_payload', selector: { a: 1, b: 2 } } as const;
      await subscriptions.save(all(store, made));
      await subscriptions.save(all(store, { ...made, selector: { b: 2, a: 1 }, startFrom: 9 }));
      await refuses(join(opened), 'invalid_argument', mismatch);
      const other = all(store, { ...made, selector: { a: 1 } });
      await refuses(subscriptions.save(other), 'invalid_argument', mismatch);
      await refuses(subscriptions.remove(other), 'invalid_argument', mismatch);
      assert.equal((await listed(opened)).startFrom, 0);
    },
  },
  {
    title: 'removing a subscription ends its consumers with an error, and is false the second time',
    async body({ opened }) {
      const { store, subscriptions } = opened;
      await write(store, 'a');
      const consumer = await join(opened);
      const { event } = (await consumer.got(1))[0] as (typeof consumer.all)[number];
      await consumer.ack(event);
      const named = { storeId: store.storeId, name: 'sub' };
      assert.equal(await subscriptions.remove(named), true);
      await consumer.until(() => consumer.error !== undefined, 'the end');
      assert.equal(consumer.error?.code, 'subscription_not_found');
      assert.equal(await subscriptions.remove(named), false);
      // One that is made anew under the name begins at its own start.
      const again = await join(opened);
      await again.got(1);
    },
  },
  {
    title: 'a selector that does not fit its type, or is very large, is refused',
    async body({ opened }) {
      const { store, subscriptions } = opened;
      const reason = { reason: 'selector' };
      const huge = { x: 'x'.repeat(20_000) };
      await refuses(
        subscriptions.save(all(store, { type: 'event_payload', selector: huge })),
        'invalid_argument',
        reason,
      );
      await refuses(
        subscriptions.save(all(store, { type: 'tags', selector: ['a'] })),
        'invalid_argument',
        reason,
      );
      assert.deepEqual(await subscriptions.list(store.storeId), []);
    },
  },
];
