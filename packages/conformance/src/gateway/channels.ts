import assert from 'node:assert/strict';
import { fresh, type GatewayCase, newEvent } from './harness.ts';

/** The promises about channels. */
export const channels: readonly GatewayCase[] = [
  {
    title: 'delivers a message to those whose pattern fits, on its channel only',
    async body({ connect }) {
      const client = await connect();
      const topic = `${fresh('t')}.a.b`;
      const [head = ''] = topic.split('.');
      await client.result('subscribe', { channel: 'system', topic: `${head}.*.b` });
      await client.result('subscribe', { channel: 'system', topic: `${head}.>` });
      await client.result('subscribe', { channel: 'audit', topic });
      const { id, delivered } = await client.result('publish', {
        channel: 'system',
        topic,
        message: { n: 1 },
      });
      assert.equal(delivered, true);
      await client.until(() => client.noticesOf('message').length > 0, 'the message');
      await client.result('publish', { channel: 'audit', topic, message: { n: 2 } });
      await client.until(() => client.noticesOf('message').length > 1, 'the message of the other channel');
      // Once per connection, however many patterns fit.
      assert.deepEqual(
        client.noticesOf('message').map(({ params }) => [params.channel, params.topic, params.message]),
        [
          ['system', topic, { n: 1 }],
          ['audit', topic, { n: 2 }],
        ],
      );
      assert.equal(client.noticesOf('message')[0]?.params.id, id);
      assert.deepEqual(await client.result('unsubscribe', { channel: 'system', topic: `${head}.>` }), {
        removed: true,
      });
      assert.deepEqual(await client.result('unsubscribe', { channel: 'system', topic: `${head}.>` }), {
        removed: false,
      });
    },
  },
  {
    title: 'resumes after a position without loss, and says when the replay is over',
    async body({ connect }) {
      const client = await connect();
      const topic = fresh('t');
      await client.result('subscribe', { channel: 'system', topic });
      for (let n = 0; n < 4; n++) await client.result('publish', { channel: 'system', topic, message: n });
      await client.until(() => client.noticesOf('message').length === 4, 'the messages');
      const { position } = client.noticesOf('message')[1]?.params ?? {};
      const other = await connect();
      await other.result('subscribe', { channel: 'system', topic, from: { position } });
      await other.until(() => other.noticesOf('replayed').length === 1, 'the end of the replay');
      assert.deepEqual(
        other.noticesOf('message').map(({ params }) => [params.message, params.replayFor]),
        [
          [2, topic],
          [3, topic],
        ],
      );
      const refusal = await other.refusal('subscribe', {
        channel: 'system',
        topic,
        from: { position: 'nonsense' },
      });
      assert.deepEqual([refusal.code, refusal['reason']], ['invalid_argument', 'position_malformed']);
    },
  },
  {
    title: 'knows a message that is published again by its id',
    async body({ connect }) {
      const client = await connect();
      const topic = fresh('t');
      await client.result('subscribe', { channel: 'system', topic });
      const message = { channel: 'system', topic, id: fresh('id'), message: 1 };
      const first = await client.result('publish', message);
      assert.deepEqual(await client.result('publish', message), first);
      await client.result('publish', { channel: 'system', topic, message: 2 });
      await client.until(
        () => client.noticesOf('message').some(({ params }) => params.message === 2),
        'the last message',
      );
      assert.deepEqual(
        client.noticesOf('message').map(({ params }) => params.message),
        [1, 2],
      );
    },
  },
  {
    title: 'refuses unknown channels, wildcards in a published topic, and unsigned alerts',
    async body({ connect }) {
      const client = await connect();
      const topic = fresh('t');
      for (const [params, code] of [
        [{ channel: 'nowhere', topic, message: 1 }, ['unknown_channel', 'invalid_argument']],
        [{ channel: 'system', topic: `${topic}.*`, message: 1 }, ['invalid_argument']],
        [{ channel: 'system', topic: 'a..b', message: 1 }, ['invalid_argument']],
        [{ channel: 'alerts', topic, message: { n: 1 } }, ['signature_required']],
      ] as const) {
        const refusal = await client.refusal('publish', params);
        assert.ok(
          (code as readonly string[]).includes(refusal.code),
          `${JSON.stringify(params)}: ${refusal.code}`,
        );
      }
    },
  },
  {
    title: 'publishes what a store commits on the channel events, once and in order',
    async body({ connect, storeId }) {
      const client = await connect();
      const streamId = fresh('s');
      await client.result('subscribe', { channel: 'events', topic: '>' });
      for (let n = 0; n < 3; n++)
        await client.result('appendEvents', { storeId, streamId, events: [newEvent(n)] });
      const own = () =>
        client.noticesOf('message').filter(({ params }) => params.message?.streamId === streamId);
      await client.until(() => own().length === 3, 'the events');
      assert.deepEqual(
        own().map(({ params }) => [params.message.data, params.id === params.message.id]),
        [
          [0, true],
          [1, true],
          [2, true],
        ],
      );
    },
  },
];
