import assert from 'node:assert/strict';
import type { RecordedEvent } from '@esdb-gater/types';
import { refuses } from '../store/harness.ts';
import { join, listed, type SubscriptionCase, type TestConsumer, write } from './harness.ts';

function eventAt({ all }: TestConsumer, index: number): RecordedEvent {
  const delivered = all[index];
  assert.ok(delivered !== undefined, `event ${index} must have been delivered`);
  return delivered.event;
}

export const acknowledging: readonly SubscriptionCase[] = [
  {
    title: 'the checkpoint moves over what is acknowledged, in whichever order that happens',
    async body({ opened }) {
      await write(opened.store, 'a b a b');
      const consumer = await join(opened);
      await consumer.got(4);
      assert.equal(await consumer.ack(eventAt(consumer, 1)), 0);
      assert.equal(await consumer.ack(eventAt(consumer, 2)), 0);
      assert.equal(await consumer.ack(eventAt(consumer, 0)), 3);
      assert.equal(await consumer.ack(eventAt(consumer, 0)), 3);
      assert.equal(await consumer.ack(eventAt(consumer, 3)), 4);
      assert.equal((await listed(opened)).lag, 0);
    },
  },
  {
    title: 'an acknowledgement up to an event covers its stream, and no other',
    async body({ opened }) {
      await write(opened.store, 'a b a a');
      const consumer = await join(opened);
      await consumer.got(4);
      assert.equal(await consumer.ack(eventAt(consumer, 2), true), 1);
      assert.equal(await consumer.ack(eventAt(consumer, 1)), 3);
    },
  },
  {
    title: 'a refused event comes again before the later ones of its stream, and other streams go on',
    async body({ opened }) {
      await write(opened.store, 'a a b');
      const consumer = await join(opened, { maxInFlight: 1 });
      await consumer.got(1);
      await consumer.nack(eventAt(consumer, 0), 'retry', { delayMs: 150 });
      await consumer.got(2);
      assert.deepEqual(consumer.names, ['a/0', 'b/0']);
      await consumer.ack(eventAt(consumer, 1));
      await consumer.got(3);
      assert.equal(consumer.all[2]?.attempt, 2);
      await consumer.ack(eventAt(consumer, 2));
      await consumer.got(4);
      assert.deepEqual(consumer.names, ['a/0', 'b/0', 'a/0', 'a/1']);
    },
  },
  {
    title: 'events that were sent after a refused one of their stream are sent again after it',
    async body({ opened }) {
      await write(opened.store, 'a a a');
      const consumer = await join(opened);
      await consumer.got(3);
      await consumer.nack(eventAt(consumer, 0), 'retry');
      await consumer.got(6);
      assert.deepEqual(consumer.names.slice(3), ['a/0', 'a/1', 'a/2']);
      assert.equal(await consumer.ack(eventAt(consumer, 5), true), 3);
    },
  },
  {
    title: 'what a consumer acknowledges while an earlier event of the stream is delayed is not sent again',
    async body({ opened }) {
      await write(opened.store, 'a a a');
      const consumer = await join(opened);
      await consumer.got(3);
      await consumer.nack(eventAt(consumer, 0), 'retry', { delayMs: 50 });
      assert.equal(await consumer.ack(eventAt(consumer, 1)), 0);
      await consumer.got(5);
      assert.deepEqual(consumer.names.slice(3), ['a/0', 'a/2']);
      assert.equal(await consumer.ack(eventAt(consumer, 3)), 2);
    },
  },
  {
    title: 'a skipped event is left out, and a parked one is kept with its reason',
    async body({ opened }) {
      const { store, subscriptions } = opened;
      await write(store, 'a a a');
      const consumer = await join(opened);
      await consumer.got(3);
      assert.equal(await consumer.nack(eventAt(consumer, 0), 'skip'), 1);
      await consumer.nack(eventAt(consumer, 1), 'park', { reason: 'broken' });
      await consumer.ack(eventAt(consumer, 2));
      const { events } = await subscriptions.listParked({ storeId: store.storeId, name: 'sub' });
      const [parked] = events;
      assert.deepEqual(parked?.event, eventAt(consumer, 1));
      assert.deepEqual([events.length, parked?.reason, parked?.attempts], [1, 'broken', 1]);
      assert.match(parked?.parkedAt ?? '', /^\d{4}-.*Z$/);
      const { checkpoint, parked: count } = await listed(opened);
      assert.deepEqual([checkpoint, count], [3, 1]);
    },
  },
  {
    title: 'an event is parked after maxRetries further attempts, and the next of its stream follows',
    async body({ opened }) {
      await write(opened.store, 'a a');
      const consumer = await join(opened, { maxRetries: 2, maxInFlight: 1 });
      for (let attempt = 1; attempt <= 3; attempt++) {
        await consumer.got(attempt);
        assert.deepEqual([consumer.names.at(-1), consumer.all.at(-1)?.attempt], ['a/0', attempt]);
        await consumer.nack(eventAt(consumer, attempt - 1), 'retry', { reason: 'no' });
      }
      await consumer.got(4);
      assert.equal(consumer.names[3], 'a/1');
      assert.equal(await consumer.ack(eventAt(consumer, 3)), 2);
      assert.equal((await listed(opened)).parked, 1);
    },
  },
  {
    title: 'an acknowledgement of an event that was never sent is refused, and changes nothing',
    async body({ opened }) {
      await write(opened.store, 'a a b');
      const consumer = await join(opened, { maxInFlight: 1 });
      await consumer.got(1);
      const reason = { reason: 'not_delivered' };
      const ack = (streamId: string, eventNumber: number, upTo = false) =>
        consumer.joined?.ack({ streamId, eventNumber, upTo }) ?? assert.fail('must have joined');
      await refuses(ack('a', 1), 'invalid_argument', reason);
      await refuses(ack('a', 1, true), 'invalid_argument', reason);
      await refuses(ack('a', 7), 'invalid_argument', reason);
      await refuses(ack('none', 0), 'invalid_argument', reason);
      assert.equal((await listed(opened)).checkpoint, 0);
      assert.equal(await ack('a', 0), 1);
    },
  },
  {
    title:
      'an event that is not acknowledged in time goes to another consumer, and a late answer has no effect',
    async body({ opened }) {
      await write(opened.store, 'a a');
      const options = { ackTimeoutMs: 100 };
      const stalled = await join(opened, options);
      await stalled.got(2);
      const other = await join(opened, { ...options, ackTimeoutMs: 10_000 });
      await other.got(2);
      assert.deepEqual(
        other.all.map(({ event, attempt }) => [event.version, attempt]),
        [
          [0, 2],
          [1, 2],
        ],
      );
      assert.equal(await stalled.ack(eventAt(stalled, 1), true), 0);
      assert.equal(await stalled.nack(eventAt(stalled, 0), 'skip'), 0);
      assert.equal(await other.ack(eventAt(other, 1), true), 2);
      // The answers of a consumer that has lost them all to another one stay without effect.
      assert.equal(await stalled.ack(eventAt(stalled, 0)), 2);
      assert.equal(stalled.all.length, 2);
    },
  },
];
