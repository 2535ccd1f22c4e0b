import assert from 'node:assert/strict';
import { type CaseSpec, collect, failureOf, messages, readAll, record } from './harness.ts';

const TRACE = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

export const appending: readonly CaseSpec[] = [
  {
    title: 'a record comes out of the tail as it went in, with a position',
    async body(trial) {
      const tail = await collect(trial, 'system');
      const sent = record('a.b', { n: 1 }, { traceparent: TRACE, tracestate: 'a=b' });
      await trial.broker.append('system', sent);
      const [got] = await tail.until(1);
      assert.ok(got);
      for (const member of ['id', 'topic', 'message', 'time', 'traceparent', 'tracestate'] as const) {
        assert.deepEqual(got[member], sent[member], member);
      }
      assert.ok(typeof got.position === 'string' && got.position.length > 0);
    },
  },
  {
    title: 'the tail hands over what comes from now on, and nothing from before',
    async body(trial) {
      await trial.broker.append('system', record('a', 'before'));
      const tail = await collect(trial, 'system');
      await trial.broker.append('system', record('a', 'after'));
      await tail.until(1);
      assert.deepEqual(messages(tail.records), ['after']);
    },
  },
  {
    title: 'when a position is told, the tail has handed over what was acknowledged before it was asked for',
    async body(trial) {
      const tail = await collect(trial, 'system');
      for (let n = 0; n < 50; n++) {
        await trial.broker.append('system', record(`a.t${n % 5}`, n));
        const position = await trial.broker.position('system');
        assert.equal(tail.records.length, n + 1);
        assert.ok(trial.broker.caughtUp('system', position, tail.records.at(-1)?.position ?? ''));
      }
    },
  },
  {
    title: 'records of one topic keep the order of their appends, also when these do not wait for each other',
    async body(trial) {
      const tail = await collect(trial, 'system');
      const topics = ['a', 'b.c', 'd.e.f'];
      const count = 100;
      await Promise.all(
        Array.from({ length: count * topics.length }, (_, n) =>
          trial.broker.append('system', record(topics[n % topics.length] as string, n)),
        ),
      );
      await tail.until(count * topics.length);
      for (const topic of topics) {
        const got = messages(tail.records.filter((one) => one.topic === topic)) as number[];
        assert.equal(got.length, count);
        assert.deepEqual(
          got,
          [...got].sort((one, other) => one - other),
        );
      }
    },
  },
  {
    title: 'records that share a partition key keep their order over all topics',
    async body(trial) {
      const tail = await collect(trial, 'events');
      for (let n = 0; n < 50; n++) {
        await trial.broker.append(
          'events',
          record(`s.stream-1.t${n % 7}`, n, { partitionKey: 's.stream-1' }),
        );
      }
      await tail.until(50);
      assert.deepEqual(
        messages(tail.records),
        Array.from({ length: 50 }, (_, n) => n),
      );
    },
  },
  {
    title: 'a thousand appends at once are all accepted, and each comes out',
    async body(trial) {
      const tail = await collect(trial, 'metrics');
      const sent = Array.from({ length: 1_000 }, (_, n) => record(`t${n % 50}`, n));
      await Promise.all(sent.map((one) => trial.broker.append('metrics', one)));
      await tail.until(sent.length);
      assert.deepEqual(new Set(tail.records.map(({ id }) => id)), new Set(sent.map(({ id }) => id)));
    },
  },
  {
    title: 'what is appended on one channel never comes out of another',
    async body(trial) {
      const events = await collect(trial, 'events');
      const metrics = await collect(trial, 'metrics');
      await trial.broker.append('metrics', record('same.topic', 'metrics'));
      await trial.broker.append('events', record('same.topic', 'events'));
      await Promise.all([events.until(1), metrics.until(1)]);
      const { position } = await trial.broker.resolve('events', 'earliest');
      const replayed = await readAll(trial.broker, 'events', position, await trial.broker.position('events'));
      assert.deepEqual(messages(events.records), ['events']);
      assert.deepEqual(messages(metrics.records), ['metrics']);
      assert.deepEqual(messages(replayed), ['events']);
    },
  },
  {
    title: 'a tail that was closed is handed nothing more',
    async body(trial) {
      const closed = await collect(trial, 'system');
      closed.stop();
      const tail = await collect(trial, 'system');
      await trial.broker.append('system', record('a', 1));
      await tail.until(1);
      assert.deepEqual(closed.records, []);
    },
  },
  {
    title: 'a message of a mebibyte passes whole',
    async body(trial) {
      const tail = await collect(trial, 'system');
      const message = 'x'.repeat(1_048_574);
      await trial.broker.append('system', record('a', message));
      const [got] = await tail.until(1);
      assert.equal(got?.message, message);
    },
  },
  {
    title: 'an append after the end is refused with unavailable',
    async body({ broker }) {
      await broker.append('system', record('a', 1));
      await broker.close();
      assert.equal((await failureOf(broker.append('system', record('a', 2)))).code, 'unavailable');
    },
  },
  {
    title: 'a broker that works says that it is healthy',
    async body({ broker }) {
      await broker.append('system', record('a', 1));
      assert.equal(broker.health().status, 'healthy');
    },
  },
];
