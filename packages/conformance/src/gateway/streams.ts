import assert from 'node:assert/strict';
import { fresh, type GatewayCase, newEvent } from './harness.ts';

/** The promises about streams and snapshots. */
export const streams: readonly GatewayCase[] = [
  {
    title: 'appends and reads, with versions from 0 and positions that only grow',
    async body({ connect, storeId }) {
      const client = await connect();
      const stream = { storeId, streamId: fresh('s') };
      const one = await client.result('appendEvents', {
        ...stream,
        expectedVersion: -1,
        events: [newEvent(1), newEvent(2)],
      });
      assert.deepEqual([one.version, one.count, one.duplicate], [1, 2, false]);
      const two = await client.result('appendEvents', {
        ...stream,
        expectedVersion: 1,
        events: [newEvent(3)],
      });
      assert.ok(two.position > one.position);
      const page = await client.result('getEvents', stream);
      assert.deepEqual(
        page.events.map((event: { data: unknown }) => event.data),
        [1, 2, 3],
      );
      assert.deepEqual(
        page.events.map((event: { version: number }) => event.version),
        [0, 1, 2],
      );
      assert.deepEqual([page.version, page.next], [2, undefined]);
      const back = await client.result('streamBackward', { ...stream, count: 2 });
      assert.deepEqual(
        back.events.map((event: { data: unknown }) => event.data),
        [3, 2],
      );
      assert.equal(back.next, 0);
    },
  },
  {
    title: 'refuses a stale expected version with both versions, and writes nothing',
    async body({ connect, storeId }) {
      const client = await connect();
      const stream = { storeId, streamId: fresh('s') };
      await client.result('appendEvents', { ...stream, events: [newEvent()] });
      const refusal = await client.refusal('appendEvents', {
        ...stream,
        expectedVersion: -1,
        events: [newEvent()],
      });
      assert.deepEqual(
        [refusal.code, refusal.retriable, refusal['streamId'], refusal['expected'], refusal['actual']],
        ['wrong_expected_version', false, stream.streamId, -1, 0],
      );
      assert.deepEqual(await client.result('getVersion', stream), { version: 0 });
    },
  },
  {
    title: 'lets exactly one of many appends with the same expected version pass',
    async body({ connect, storeId }) {
      const clients = await Promise.all(Array.from({ length: 4 }, () => connect()));
      const stream = { storeId, streamId: fresh('s') };
      const answers = await Promise.all(
        clients.flatMap((client) =>
          Array.from({ length: 4 }, () =>
            client.call('appendEvents', { ...stream, expectedVersion: -1, events: [newEvent()] }),
          ),
        ),
      );
      assert.equal(answers.filter(({ result }) => result !== undefined).length, 1);
      assert.ok(
        answers.every(({ error }) => error === undefined || error.data.code === 'wrong_expected_version'),
      );
    },
  },
  {
    title: 'knows a repeated append by its ids, and refuses an id with other content',
    async body({ connect, storeId }) {
      const client = await connect();
      const append = { storeId, streamId: fresh('s'), events: [newEvent(1)] };
      const first = await client.result('appendEvents', append);
      const again = await client.result('appendEvents', { ...append, expectedVersion: -1 });
      assert.deepEqual(again, { ...first, duplicate: true });
      const changed = append.events.map((event) => ({ ...event, data: 2 }));
      const refusal = await client.refusal('appendEvents', { ...append, events: changed });
      assert.deepEqual([refusal.code, refusal['reason']], ['invalid_argument', 'id_conflict']);
    },
  },
  {
    title: 'tells a stream that never was, and begins a deleted one again with the next version',
    async body({ connect, storeId }) {
      const client = await connect();
      const stream = { storeId, streamId: fresh('s') };
      assert.equal((await client.refusal('getEvents', stream)).code, 'stream_not_found');
      assert.deepEqual(await client.result('streamExists', stream), { exists: false });
      await client.result('appendEvents', { ...stream, events: [newEvent()] });
      const deleted = await client.call('deleteStream', stream);
      if (deleted.error?.data.code === 'not_supported') return;
      assert.deepEqual(deleted.result, { version: 0 });
      assert.equal((await client.refusal('getEvents', stream)).code, 'stream_deleted');
      const next = await client.result('appendEvents', {
        ...stream,
        expectedVersion: -1,
        events: [newEvent()],
      });
      assert.equal(next.version, 1);
    },
  },
  {
    title: 'reads a store in the order of positions, page by page, without gaps at the seams',
    async body({ connect, storeId }) {
      const client = await connect();
      const { lastPosition: start } = await client
        .result('readAll', { storeId, after: 2 ** 52 })
        .catch(() => ({ lastPosition: 0 }));
      const streamId = fresh('s');
      const events = Array.from({ length: 5 }, (_, n) => newEvent(n));
      const { position } = await client.result('appendEvents', { storeId, streamId, events });
      const seen: unknown[] = [];
      for (
        let after: number | undefined = Math.max(0, Math.min(start, position - 5));
        after !== undefined;
      ) {
        const page: { events: { streamId: string; data: unknown; position: number }[]; next?: number } =
          await client.result('readAll', { storeId, after, limit: 2 });
        for (const event of page.events) {
          assert.ok(event.position > after);
          if (event.streamId === streamId) seen.push(event.data);
        }
        after = page.next;
      }
      assert.deepEqual(seen, [0, 1, 2, 3, 4]);
    },
  },
  {
    title: 'keeps numbers and names as they are: no inexact integer, and `__proto__` is a name',
    async body({ connect, storeId }) {
      const client = await connect();
      const stream = { storeId, streamId: '__proto__' };
      await client.result('appendEvents', { ...stream, events: [newEvent({ constructor: 1.5 })] });
      const { events } = await client.result('streamBackward', { ...stream, count: 1 });
      assert.deepEqual(events[0].data, { constructor: 1.5 });
      client.send(
        `{"jsonrpc":"2.0","id":"n","method":"appendEvents","params":{"storeId":"${storeId}","streamId":"n","events":[{"type":"t","data":9007199254740993}]}}`,
      );
      const answer = await client.until(
        () => client.messages.find((one) => (one as { id?: unknown }).id === 'n'),
        'the refusal',
      );
      assert.equal((answer as { error: { data: { reason: string } } }).error.data.reason, 'number');
    },
  },
  {
    title: 'follows a stream: what is there, then caughtUp, then what comes',
    async body({ connect, storeId }) {
      const client = await connect();
      const stream = { storeId, streamId: fresh('s') };
      await client.result('appendEvents', { ...stream, events: [newEvent(0)] });
      const { followId } = await client.result('followEvents', stream);
      await client.until(() => client.noticesOf('caughtUp').length === 1, 'caughtUp');
      await client.result('appendEvents', { ...stream, events: [newEvent(1)] });
      await client.until(() => client.noticesOf('followed').length === 2, 'the events');
      assert.deepEqual(
        client.noticesOf('followed').map(({ params }) => [params.followId, params.event.data]),
        [
          [followId, 0],
          [followId, 1],
        ],
      );
      assert.deepEqual(await client.result('unfollow', { followId }), { removed: true });
      assert.deepEqual(await client.result('unfollow', { followId }), { removed: false });
    },
  },
  {
    title: 'delivers the events of a persistent subscription until they are acknowledged',
    async body({ connect, storeId }) {
      const stream = { storeId, streamId: fresh('s') };
      const named = { storeId, name: fresh('n') };
      const first = await connect();
      await first.result('appendEvents', { ...stream, events: [newEvent(0), newEvent(1)] });
      const params = { ...named, type: 'stream', selector: stream.streamId };
      await first.result('saveSubscription', params);
      await first.until(() => first.noticesOf('event').length === 2, 'the events');
      assert.deepEqual(
        first.noticesOf('event').map(({ params: { event, attempt } }) => [event.data, attempt]),
        [
          [0, 1],
          [1, 1],
        ],
      );
      await first.result('ackEvent', { ...named, streamId: stream.streamId, eventNumber: 0 });
      first.socket.close();
      await first.closed;
      const second = await connect();
      await second.result('saveSubscription', params);
      await second.until(() => second.noticesOf('event').length === 1, 'the event that was not acknowledged');
      assert.deepEqual(second.noticesOf('event')[0]?.params.event.data, 1);
      assert.deepEqual(await second.result('removeSubscription', named), { removed: true });
    },
  },
  {
    title: 'tells a store that is not known from one whose worker has left',
    async body({ connect }) {
      const client = await connect();
      const storeId = fresh('w').slice(0, 40);
      const stream = { storeId, streamId: 's' };
      assert.equal((await client.refusal('getVersion', stream)).code, 'store_not_found');
      const worker = await connect();
      worker.serve(({ method }) =>
        method === 'getVersion' ? { version: 41 } : { events: [], lastPosition: 0 },
      );
      const registered = await worker.call('registerWorker', { storeId });
      if (registered.error?.data.code === 'unauthorized') return;
      assert.equal(typeof registered.result.workerId, 'string');
      assert.deepEqual(await client.result('getVersion', stream), { version: 41 });
      assert.deepEqual(await client.result('quickHealthCheck', { storeId }), { workers: 1 });
      assert.deepEqual(await worker.result('unregisterWorker', { storeId }), { removed: true });
      assert.ok(
        ['no_workers', 'retries_exhausted'].includes((await client.refusal('getVersion', stream)).code),
      );
    },
  },
];
