import assert from 'node:assert/strict';
import type { Broker, BrokerRecord } from '@esdb-gater/types';
import { type CaseSpec, collect, messages, readAll, record, refusesPosition } from './harness.ts';

/** Appends 0, 1, 2 … under one topic and waits until the tail has them. */
async function appendCount(
  trial: Parameters<CaseSpec['body']>[0],
  count: number,
): Promise<readonly BrokerRecord[]> {
  const tail = await collect(trial, 'system');
  for (let n = 0; n < count; n++) await trial.broker.append('system', record('a', n));
  await tail.until(count);
  tail.stop();
  return [...tail.records];
}

const from = (first: number, end: number): number[] =>
  Array.from({ length: Math.max(0, end - first) }, (_, n) => first + n);

export const replaying: readonly CaseSpec[] = [
  {
    title: 'earliest reads everything that is held, in order',
    async body(trial) {
      await appendCount(trial, 50);
      const { position, lost } = await trial.broker.resolve('system', 'earliest');
      assert.notEqual(lost, true);
      const got = await readAll(trial.broker, 'system', position, await trial.broker.position('system'));
      assert.deepEqual(messages(got), from(0, 50));
    },
  },
  {
    title: 'a channel without records reads as empty, and is caught up at once',
    async body({ broker }) {
      const { position } = await broker.resolve('audit', 'earliest');
      const until = await broker.position('audit');
      assert.deepEqual(await readAll(broker, 'audit', position, until), []);
      assert.equal(broker.caughtUp('audit', position, until), true);
    },
  },
  {
    title: 'a position is exclusive: what follows it is read, and it itself is not',
    async body(trial) {
      const records = await appendCount(trial, 20);
      const until = await trial.broker.position('system');
      for (const [n, { position }] of records.entries()) {
        const resolved = await trial.broker.resolve('system', { position });
        assert.notEqual(resolved.lost, true);
        const got = await readAll(trial.broker, 'system', resolved.position, until);
        assert.deepEqual(messages(got), from(n + 1, 20));
      }
    },
  },
  {
    title: 'a read ends with its end, whatever comes meanwhile',
    async body(trial) {
      await appendCount(trial, 10);
      const { position } = await trial.broker.resolve('system', 'earliest');
      const until = await trial.broker.position('system');
      await appendCount(trial, 5);
      assert.deepEqual(messages(await readAll(trial.broker, 'system', position, until)), from(0, 10));
    },
  },
  {
    title: 'a time is inclusive: what is at or after it is read',
    async body(trial) {
      const tail = await collect(trial, 'system');
      const start = Date.now() + 1_000;
      for (let n = 0; n < 10; n++) {
        const time = new Date(start + n * 1_000).toISOString();
        await trial.broker.append('system', record('a', n, { time }));
      }
      await tail.until(10);
      const until = await trial.broker.position('system');
      const readFrom = async (ms: number): Promise<unknown> => {
        const { position } = await trial.broker.resolve('system', { time: new Date(ms).toISOString() });
        return messages(await readAll(trial.broker, 'system', position, until));
      };
      assert.deepEqual(await readFrom(start + 4_000), from(4, 10));
      assert.deepEqual(await readFrom(start + 4_001), from(5, 10));
      assert.deepEqual(await readFrom(start + 60_000), []);
    },
  },
  {
    title: 'a position that nobody made is refused as malformed',
    async body({ broker }) {
      for (const position of ['', 'x', '0', '../..', '💥', 'a'.repeat(100_000), '{"0":1}', '-1']) {
        await refusesPosition(broker.resolve('system', { position }), 'position_malformed');
      }
    },
  },
  {
    title: 'a position of another channel is refused as malformed',
    async body(trial) {
      const [first] = await appendCount(trial, 1);
      const position = first?.position ?? '';
      await refusesPosition(trial.broker.resolve('audit', { position }), 'position_malformed');
    },
  },
  {
    title: 'a reader is caught up exactly when nothing lies between',
    async body(trial) {
      const { broker } = trial;
      const tail = await collect(trial, 'system');
      const before = await broker.position('system');
      assert.equal(broker.caughtUp('system', before, before), true);
      await broker.append('system', record('a', 1));
      const [one] = await tail.until(1);
      const until = broker.tailPosition('system');
      assert.ok(one && until !== undefined);
      assert.equal(broker.caughtUp('system', before, until), false);
      assert.equal(broker.caughtUp('system', one.position, until), true);
      assert.equal(broker.caughtUp('system', until, until), true);
    },
  },
  {
    title: 'a read that is aborted ends',
    async body(trial) {
      await appendCount(trial, 600);
      const { position } = await trial.broker.resolve('system', 'earliest');
      const until = await trial.broker.position('system');
      const abort = new AbortController();
      let count = 0;
      try {
        for await (const batch of trial.broker.read('system', position, until, { signal: abort.signal })) {
          count += batch.length;
          abort.abort();
        }
      } catch (error) {
        assert.equal(abort.signal.aborted, true, String(error));
      }
      assert.ok(count > 0 && count < 600, `${count} records came`);
    },
  },
  {
    title: 'rounds of reads up to the tail, then the tail itself, give every record exactly once',
    async body(trial) {
      await appendCount(trial, 100);
      const { broker } = trial;
      const tail = await collect(trial, 'system');
      const appending = (async () => {
        for (let n = 100; n < 300; n++) await broker.append('system', record('a', n));
      })();
      const { replayed, live } = await followThrough(broker, tail.records);
      await appending;
      await tail.until(200);
      assert.deepEqual(messages([...replayed, ...tail.records.slice(live)]), from(0, 300));
    },
  },
];

/** Reads until nothing lies between; tells how many records the tail had handed over at that moment. */
async function followThrough(
  broker: Broker,
  tail: readonly BrokerRecord[],
): Promise<{ readonly replayed: readonly BrokerRecord[]; readonly live: number }> {
  const replayed: BrokerRecord[] = [];
  let after = (await broker.resolve('system', 'earliest')).position;
  for (;;) {
    const until = broker.tailPosition('system') ?? (await broker.position('system'));
    if (broker.caughtUp('system', after, until)) return { replayed, live: tail.length };
    for await (const batch of broker.read('system', after, until)) replayed.push(...batch);
    after = until;
  }
}
