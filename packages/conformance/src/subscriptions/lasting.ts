import assert from 'node:assert/strict';
import type { EventStore } from '@esdb-gater/types';
import { append, newEvent } from '../store/harness.ts';
import { all, eventually, join, listed, type SubscriptionCase, TestConsumer, write } from './harness.ts';

async function savedCheckpoint({ subscriptionState }: EventStore): Promise<number> {
  return (await subscriptionState?.load('sub'))?.checkpoint.position ?? -1;
}

const MANY = 3_000;

async function writeMany(store: EventStore, count: number, type: string): Promise<void> {
  for (let done = 0; done < count; done += 1_000) {
    const events = Array.from({ length: Math.min(1_000, count - done) }, () => newEvent(type));
    await append(store, 'many', events);
  }
}

export const lasting: readonly SubscriptionCase[] = [
  {
    title: 'a checkpoint saved during a catch-up never passes what was not sent',
    needs: ['durability'],
    async body(trial) {
      await writeMany(trial.opened.store, MANY, 'wanted');
      const consumer = await join(trial.opened, { maxInFlight: 10 });
      await consumer.got(10);
      for (const { event } of [...consumer.all].slice(0, 5)) await consumer.ack(event);
      await eventually(async () => (await savedCheckpoint(trial.opened.store)) === 5, 'the saved checkpoint');
      const again = await (trial.reopen ?? assert.fail)();
      assert.equal(await savedCheckpoint(again.store), 5);
      const next = new TestConsumer();
      next.autoAck = true;
      await join(again, { maxInFlight: 10 }, next);
      await next.got(MANY - 5);
      assert.deepEqual(
        next.all.map(({ event }) => event.version),
        Array.from({ length: MANY - 5 }, (_, index) => index + 5),
      );
    },
  },
  {
    title: 'a filter that matches little moves its checkpoint, and what follows is not scanned again',
    async body({ opened }) {
      const { store } = opened;
      await write(store, 'first');
      await join(opened, { type: 'event_type', selector: 'rare' });
      await writeMany(store, MANY, 'other');
      await eventually(async () => (await savedCheckpoint(store)) === MANY + 1, 'the saved checkpoint');
      assert.equal((await listed(opened)).lag, 0);
    },
  },
  {
    title: 'a deleted stream does not keep the checkpoint where it is',
    async body({ opened }) {
      const { store } = opened;
      await write(store, 'gone gone a');
      const consumer = await join(opened, { maxInFlight: 1 });
      await consumer.got(1);
      await store.deleteStream({ storeId: store.storeId, streamId: 'gone' });
      consumer.autoAck = true;
      await consumer.ack((consumer.all[0] as (typeof consumer.all)[number]).event);
      await consumer.got(3);
      await eventually(async () => (await savedCheckpoint(store)) === 3, 'the saved checkpoint');
      // A late answer about a stream that is gone does not fail.
      assert.equal(await consumer.ack((consumer.all[1] as (typeof consumer.all)[number]).event), 3);
    },
  },
  {
    title: 'a reset begins anew from a position, forwards and backwards, for the consumers that are there',
    async body({ opened }) {
      const { store, subscriptions } = opened;
      await write(store, 'a a a a');
      const consumer = await join(opened);
      await consumer.got(4);
      await consumer.ack((consumer.all[0] as (typeof consumer.all)[number]).event);
      await consumer.nack((consumer.all[2] as (typeof consumer.all)[number]).event, 'park');
      const named = { storeId: store.storeId, name: 'sub' };
      await subscriptions.reset({ ...named, startFrom: 1 });
      await consumer.got(7);
      assert.deepEqual(consumer.names.slice(4), ['a/1', 'a/2', 'a/3']);
      const { checkpoint, startFrom, parked } = await listed(opened);
      assert.deepEqual([checkpoint, startFrom, parked], [1, 1, 0]);
      await subscriptions.reset({ ...named, startFrom: 'latest' });
      assert.equal((await listed(opened)).lag, 0);
      await write(store, 'a');
      await consumer.got(8);
      assert.equal(consumer.names[7], 'a/4');
      await eventually(async () => (await savedCheckpoint(store)) === 4, 'the saved checkpoint');
    },
  },
  {
    title: 'many parked events that are replayed do not starve the live ones',
    async body({ opened }) {
      const { store, subscriptions } = opened;
      await writeMany(store, 500, 'bad');
      const consumer = await join(opened, { maxRetries: 0 });
      const parked = new Set<number>();
      while (parked.size < 500) {
        await consumer.got(parked.size + 1);
        for (const { event } of consumer.all.slice(parked.size)) {
          parked.add(event.version);
          await consumer.nack(event, 'park');
        }
      }
      const named = { storeId: store.storeId, name: 'sub' };
      assert.equal((await listed(opened)).parked, 500);
      assert.equal(await subscriptions.replayParked(named), 500);
      assert.equal(await subscriptions.replayParked(named), 0);
      await consumer.got(501);
      const before = consumer.all.length;
      await write(store, 'live');
      await consumer.until(() => consumer.names.includes('live/0'), 'the live event');
      assert.ok(consumer.all.length - before <= 11, 'only a few replayed events may come before it');
      for (let done = 500; done < 1_001; ) {
        await consumer.got(done + 1);
        for (const { event } of consumer.all.slice(done)) {
          done += 1;
          await consumer.ack(event);
        }
      }
      const replayed = consumer.all.slice(500).filter(({ event }) => event.streamId === 'many');
      assert.deepEqual(
        replayed.map(({ event }) => event.version),
        Array.from({ length: 500 }, (_, index) => index),
      );
      assert.ok(replayed.every(({ attempt }) => attempt === 2));
      const { subscriptionState: state } = store;
      const filter = { replaying: true, after: 0, limit: 10 };
      await eventually(
        async () => (await state?.listParked('sub', filter))?.records.length === 0,
        'the end of the replay',
      );
      assert.equal((await listed(opened)).parked, 0);
    },
  },
  {
    title: 'parked events are replayed by their ids, and listed by pages',
    async body({ opened }) {
      const { store, subscriptions } = opened;
      await write(store, 'a b c');
      const consumer = await join(opened);
      await consumer.got(3);
      const events = consumer.all.map(({ event }) => event);
      for (const event of events) await consumer.nack(event, 'park');
      const named = { storeId: store.storeId, name: 'sub' };
      const page = await subscriptions.listParked({ ...named, limit: 2 });
      assert.deepEqual([page.events.map(({ event }) => event.streamId), page.next], [['a', 'b'], 2]);
      const rest = await subscriptions.listParked({ ...named, limit: 2, after: 2 });
      assert.deepEqual([rest.events.map(({ event }) => event.streamId), rest.next], [['c'], undefined]);
      const ids = [events[1]?.id.toUpperCase() ?? '', '00000000-0000-7000-8000-000000000000'];
      assert.equal(await subscriptions.replayParked({ ...named, ids }), 1);
      await consumer.got(4);
      assert.deepEqual([consumer.names[3], consumer.all[3]?.attempt], ['b/0', 2]);
      assert.equal((await subscriptions.listParked(named)).events.length, 2);
    },
  },
  {
    title: 'what is parked and where a subscription stands outlives the process',
    needs: ['durability'],
    async body(trial) {
      const { store, subscriptions } = trial.opened;
      await write(store, 'a b c');
      const consumer = await join(trial.opened);
      await consumer.got(3);
      const [one, two, three] = consumer.all.map(({ event }) => event);
      if (one && two && three) {
        await consumer.ack(one);
        await consumer.nack(two, 'park', { reason: 'later' });
        await consumer.nack(three, 'park');
      }
      const named = { storeId: store.storeId, name: 'sub' };
      await eventually(async () => (await savedCheckpoint(store)) === 3, 'the saved checkpoint');
      assert.equal(await subscriptions.replayParked({ ...named, ids: [three?.id ?? ''] }), 1);
      const again = await (trial.reopen ?? assert.fail)();
      assert.equal(consumer.error?.code, 'unavailable');
      const { checkpoint, parked, subscribers } = await listed(again);
      assert.deepEqual([checkpoint, parked, subscribers], [3, 1, 0]);
      const { events } = await again.subscriptions.listParked(named);
      assert.deepEqual([events[0]?.event, events[0]?.reason], [two, 'later']);
      // The replay that was asked for goes on, as soon as somebody consumes.
      const next = new TestConsumer();
      await next.join(again.subscriptions, all(again.store));
      await next.got(1);
      assert.deepEqual(next.names, ['c/0']);
    },
  },
];
