import assert from 'node:assert/strict';
import type { JsonValue } from '@esdb-gater/types';
import { type CaseSpec, collect, record } from './harness.ts';

const TOPICS = [
  '__proto__',
  'constructor.prototype.toString',
  'hasOwnProperty',
  'größe.中.💥',
  'a:b/c@d+e',
  '%2e%2e',
  `${'x'.repeat(255)}.y`,
  Array.from({ length: 32 }, (_, n) => `s${n}`).join('.'),
  'x'.repeat(1_024),
];

const MESSAGES: readonly JsonValue[] = [
  null,
  true,
  false,
  0,
  -1.5e-300,
  Number.MAX_SAFE_INTEGER,
  '',
  'a\u0000b\n\u2028💥',
  [],
  [[[1], null]],
  {},
  JSON.parse('{"__proto__":{"polluted":true},"constructor":1,"":2,"ключ":"значение"}') as JsonValue,
];

export const values: readonly CaseSpec[] = [
  {
    title: 'odd topics are names like any other',
    async body(trial) {
      const tail = await collect(trial, 'system');
      for (const topic of TOPICS) await trial.broker.append('system', record(topic, topic));
      await tail.until(TOPICS.length);
      assert.deepEqual(tail.records.map(({ topic }) => topic).sort(), [...TOPICS].sort());
      for (const { topic, message } of tail.records) assert.equal(topic, message);
    },
  },
  {
    title: 'every JSON value is a message',
    async body(trial) {
      const tail = await collect(trial, 'system');
      for (const message of MESSAGES) await trial.broker.append('system', record('a', message));
      await tail.until(MESSAGES.length);
      assert.deepEqual(
        tail.records.map(({ message }) => JSON.stringify(message)),
        MESSAGES.map((message) => JSON.stringify(message)),
      );
      assert.equal(({} as Record<string, unknown>)['polluted'], undefined);
    },
  },
  {
    title: 'an odd id and type pass unchanged',
    async body(trial) {
      const tail = await collect(trial, 'system');
      const id = 'ключ 💥 "quoted", comma; =';
      await trial.broker.append('system', record('a', 1, { id, type: 'größe geändert' }));
      const [got] = await tail.until(1);
      assert.equal(got?.id, id);
    },
  },
];
