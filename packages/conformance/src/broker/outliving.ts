import assert from 'node:assert/strict';
import { type CaseSpec, collect, messages, readAll, record, refusesPosition } from './harness.ts';

export const outliving: readonly CaseSpec[] = [
  {
    title: 'records and positions outlive the broker',
    needs: ['durability'],
    async body(trial) {
      const tail = await collect(trial, 'system');
      for (let n = 0; n < 20; n++) await trial.broker.append('system', record('a', n));
      await tail.until(20);
      const position = tail.records[9]?.position ?? '';
      const again = await trial.reopen();
      const resolved = await again.resolve('system', { position });
      const got = await readAll(again, 'system', resolved.position, await again.position('system'));
      assert.deepEqual(messages(got), [10, 11, 12, 13, 14, 15, 16, 17, 18, 19]);
    },
  },
  {
    title: 'a position is never taken for one of another life of the broker',
    needs: ['epochs'],
    async body(trial) {
      await trial.broker.append('system', record('a', 1));
      const position = await trial.broker.position('system');
      const again = await trial.reopen();
      const error = await refusesPosition(again.resolve('system', { position }), 'position_lost');
      assert.equal(typeof error.details['oldest'], 'string');
    },
  },
  {
    title: 'a position older than the history is lost, and the error tells the oldest one that is held',
    needs: ['boundedHistory'],
    async body(trial) {
      const { broker } = trial;
      const history = trial.alertsHistory ?? 0;
      const tail = await collect(trial, 'alerts');
      const before = await broker.position('alerts');
      for (let n = 0; n <= history; n++) await broker.append('alerts', record('a', n));
      await tail.until(history + 1);
      const error = await refusesPosition(broker.resolve('alerts', { position: before }), 'position_lost');
      const oldest = String(error.details['oldest']);
      const { position } = await broker.resolve('alerts', { position: oldest });
      const got = await readAll(broker, 'alerts', position, await broker.position('alerts'));
      assert.equal(got.length, history);
      assert.equal(got[0]?.message, 1);
    },
  },
];
