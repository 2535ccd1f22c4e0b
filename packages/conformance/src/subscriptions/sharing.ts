import assert from 'node:assert/strict';
import { eventually, join, nameOf, type SubscriptionCase, TestConsumer, write } from './harness.ts';

export const sharing: readonly SubscriptionCase[] = [
  {
    title: 'consumers share the streams, and a stream stays with its consumer',
    async body({ opened }) {
      const consumers = [await join(opened), await join(opened)];
      const streams = Array.from({ length: 10 }, (_, index) => `s${index}`);
      for (let round = 0; round < 5; round++) await write(opened.store, streams.join(' '));
      const [first, second] = consumers as [TestConsumer, TestConsumer];
      await first.until(() => first.all.length + second.all.length === 50 || first.all.length === 25);
      await second.until(() => first.all.length + second.all.length === 50);
      for (const consumer of consumers) {
        const own = [...new Set(consumer.all.map(({ event }) => event.streamId))];
        assert.equal(own.length, 5, 'each must have half of the streams');
        for (const streamId of own) {
          assert.deepEqual(
            consumer.names.filter((name) => name.startsWith(`${streamId}/`)),
            [0, 1, 2, 3, 4].map((version) => `${streamId}/${version}`),
          );
        }
      }
    },
  },
  {
    title: 'the events of a consumer that leaves come again at another one, in the order of their streams',
    async body({ opened }) {
      await write(opened.store, 'a b a b');
      const first = await join(opened);
      await first.got(4);
      const second = await join(opened);
      await first.ack((first.all[0] as (typeof first.all)[number]).event);
      first.joined?.leave(true);
      await second.got(3);
      assert.deepEqual(second.names, ['b/0', 'a/1', 'b/1']);
      assert.ok(second.all.every(({ attempt }) => attempt === 2));
    },
  },
  {
    title: 'the events of the last consumer wait for the next one',
    async body({ opened }) {
      await write(opened.store, 'a a');
      const first = await join(opened);
      await first.got(2);
      first.joined?.leave(true);
      await write(opened.store, 'a');
      const second = await join(opened);
      await second.got(3);
      assert.deepEqual(
        second.all.map(({ event, attempt }) => [nameOf(event), attempt]),
        [
          ['a/0', 2],
          ['a/1', 2],
          ['a/2', 1],
        ],
      );
    },
  },
  {
    title: 'a consumer has at most maxInFlight events',
    async body({ opened }) {
      await write(opened.store, 'a b c d a b');
      const consumer = await join(opened, { maxInFlight: 3 });
      await consumer.got(3);
      await consumer.gotNoMore();
      await consumer.ack((consumer.all[1] as (typeof consumer.all)[number]).event);
      await consumer.got(4);
      await consumer.gotNoMore();
      assert.deepEqual(consumer.names, ['a/0', 'b/0', 'c/0', 'd/0']);
    },
  },
  {
    title: 'a consumer that takes nothing gets nothing more, and slows no other one',
    async body({ opened }) {
      const { store } = opened;
      const slow = new TestConsumer();
      const quick = new TestConsumer();
      quick.autoAck = true;
      slow.ready = false;
      await join(opened, {}, slow);
      await join(opened, {}, quick);
      await write(store, 'a b c d');
      await quick.got(4);
      assert.equal(slow.all.length, 0);
      slow.ready = true;
      quick.ready = false;
      slow.joined?.drained();
      await write(store, 'e');
      await slow.got(1);
    },
  },
  {
    title: 'an event under a delay holds back its stream for every consumer',
    async body({ opened }) {
      await write(opened.store, 'a');
      const first = await join(opened);
      await first.got(1);
      await first.nack((first.all[0] as (typeof first.all)[number]).event, 'retry', { delayMs: 150 });
      const second = await join(opened);
      const log: string[] = [];
      for (const consumer of [first, second]) consumer.onDelivered = (event) => log.push(nameOf(event));
      await write(opened.store, 'a b');
      await eventually(async () => log.includes('a/1'), 'the later event');
      assert.deepEqual(
        log.filter((name) => name.startsWith('a/')),
        ['a/0', 'a/1'],
      );
    },
  },
];
