import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { createTestGater, specification } from '@esdb-gater/app/testing';
import { createGater } from '@esdb-gater/client';
import { createStoreWorker } from '@esdb-gater/event-store';
import { createRegistry } from '@esdb-gater/registry';
import { openSqliteStore } from '@esdb-gater/store-sqlite';
import { describe, expect, test } from 'vitest';
import { eventually } from '../../packages/app/tests/support/eventually.ts';
import { accounts, type BankEvent, transferAgent, transfers } from './bank.ts';
import { type CourseEvent, enrolment } from './course-enrolment.ts';
import { type OrderEvent, orderList, orders, reminders } from './orders.ts';

describe('orders', () => {
  const placed = { type: 'order_placed', data: { order: '7', customer: 'ada', cents: 900 } } as const;
  const paid = { type: 'order_paid', data: { order: '7' } } as const;

  test('the rules of an order', async () => {
    await using gater = createTestGater<OrderEvent>();
    const { given } = specification(orders(gater));
    const pay = { kind: 'pay', order: '7' } as const;
    given()
      .when({ kind: 'place', ...placed.data })
      .then(placed);
    given(placed)
      .when({ kind: 'place', ...placed.data })
      .thenThrows(/exists already/);
    given(placed).when(pay).then(paid);
    given([placed, paid])
      .when(pay)
      .thenThrows(/it is paid/);
    given([placed, paid]).when({ kind: 'remind', order: '7' }).thenNothing();
    given([placed, paid])
      .when({ kind: 'cancel', order: '7', reason: 'late' })
      .thenThrows(/paid already/);
  });

  test('the list shows each order, and who does not pay is reminded', async () => {
    await using gater = createTestGater<OrderEvent>();
    const database = new DatabaseSync(':memory:');
    await using list = await orderList(gater, database).start();
    const handle = orders(gater);
    const { due, planner } = reminders(gater);
    await using _timers = await due.start();
    await using _planner = await planner.start();
    await handle({ kind: 'place', order: '7', customer: 'ada', cents: 900 });
    const { position } = await handle({ kind: 'place', order: '8', customer: 'bob', cents: 100 });
    await list.reached(position);
    await handle({ kind: 'pay', order: '7' });
    await eventually(() => expect(due.health().pending).toBe(2));
    gater.clock.setNow(gater.clock.now() + 86_400_000);
    await gater.clock.pass(60_000);
    const version = async (order: string) =>
      (await gater.getVersion({ storeId: 'default', streamId: `order-${order}` })).version;
    await eventually(async () => expect([await version('7'), await version('8')]).toEqual([1, 1]));
    await handle({ kind: 'cancel', order: '8', reason: 'not paid' }).then((result) =>
      list.reached(result.position),
    );
    expect(database.prepare('SELECT id, status FROM orders ORDER BY id').all().map(Object.values)).toEqual([
      ['7', 'paid'],
      ['8', 'cancelled'],
    ]);
  });
});

describe('the bank', () => {
  async function open(gater: ReturnType<typeof createTestGater<BankEvent>>) {
    const handle = accounts(gater);
    for (const account of ['a', 'b']) await handle({ kind: 'open', account });
    await handle({ kind: 'deposit', account: 'a', cents: 100 });
    const balance = async (account: string): Promise<number> => {
      let cents = 0;
      for await (const { type, data } of gater.events({
        storeId: 'default',
        streamId: `account-${account}`,
      })) {
        if (type === 'deposited') cents += data.cents;
        if (type === 'withdrawn') cents -= data.cents;
      }
      return cents;
    };
    return { balance, transfer: transfers(gater) };
  }

  test.each([
    ['b', 60, 'transfer_completed', [40, 60]],
    ['b', 101, 'transfer_refused', [100, 0]],
    ['nobody', 60, 'transfer_refused', [100, 0]],
  ])('a transfer to %s of %d ends with %s', async (to, cents, end, balances) => {
    await using gater = createTestGater<BankEvent>();
    const { balance, transfer } = await open(gater);
    await using _agent = await transferAgent(gater).start();
    await transfer({ kind: 'request', transfer: 't', from: 'a', to, cents });
    await eventually(async () => {
      const { events } = await gater.getEvents({ storeId: 'default', streamId: 'transfer-t' });
      expect(events.at(-1)?.type).toBe(end);
    });
    expect([await balance('a'), await balance('b')]).toEqual(balances);
  });

  test('money is neither lost nor made when the agent is killed at any step', {
    timeout: 60_000,
  }, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'esdb-gater-bank-'));
    const file = join(folder, 'bank.db');
    const withStore = async <T>(run: (gater: ReturnType<typeof createGater<BankEvent>>) => Promise<T>) => {
      const store = await openSqliteStore({ storeId: 'default', file });
      const registry = createRegistry();
      registry.register(createStoreWorker(store, { nodeId: 'test' }));
      const result = await run(createGater<BankEvent>({ registry }));
      await store.close();
      return result;
    };
    const requests = [
      ['t1', 'b', 60],
      ['t2', 'nobody', 20],
      ['t3', 'b', 500],
    ] as const;
    try {
      await withStore(async (gater) => {
        const handle = accounts(gater);
        for (const account of ['a', 'b']) await handle({ kind: 'open', account });
        await handle({ kind: 'deposit', account: 'a', cents: 100 });
        for (const [transfer, to, cents] of requests) {
          await transfers(gater)({ kind: 'request', transfer, from: 'a', to, cents });
        }
      });
      // Each run is killed one step later than the one before, whose steps it repeats.
      const codes: (number | null)[] = [];
      for (const step of [1, 2, 3, 0]) codes.push(await runBank(file, step, requests.length));
      expect(codes.slice(0, 3)).toEqual([null, null, null]);
      expect(codes.at(-1)).toBe(0);
      const moved = await withStore(async (gater) => {
        const { events } = await gater.readAll({ storeId: 'default', limit: 1_000 });
        return events.flatMap(({ type, data }) =>
          type === 'deposited' || type === 'withdrawn' ? [[type, data.account, data.cents]] : [],
        );
      });
      expect(moved.sort()).toEqual([
        ['deposited', 'a', 100],
        ['deposited', 'a', 20],
        ['deposited', 'b', 60],
        ['withdrawn', 'a', 20],
        ['withdrawn', 'a', 60],
      ]);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

function runBank(file: string, step: number, transfersExpected: number): Promise<number | null> {
  const child = spawn(
    process.execPath,
    [
      '--conditions=@esdb-gater/source',
      '--disable-warning=ExperimentalWarning',
      join(import.meta.dirname, 'bank-child.ts'),
      file,
      String(step),
      String(transfersExpected),
    ],
    { stdio: 'inherit' },
  );
  return new Promise((resolve) => child.once('exit', resolve));
}

describe('course enrolment', () => {
  test('neither limit is exceeded, however many enrol at once', async () => {
    await using gater = createTestGater<CourseEvent>();
    const courses = ['maths', 'logic', 'art', 'music', 'law'];
    for (const course of courses) {
      const tags = [`course:${course}`];
      const events = [{ type: 'course_offered', data: { course, seats: 2 }, tags }] as const;
      await gater.appendEvents({ storeId: 'default', streamId: `course-${course}`, events });
    }
    const enrol = enrolment(gater);
    const wishes = ['x', 'y', 'z'].flatMap((student) => courses.map((course) => ({ student, course })));
    const answers = await Promise.allSettled(wishes.map((wish) => enrol(wish)));
    const enrolled = wishes.filter((_, index) => answers[index]?.status === 'fulfilled');
    expect(enrolled).toHaveLength(9);
    for (const student of ['x', 'y', 'z']) {
      expect(enrolled.filter((one) => one.student === student)).toHaveLength(3);
    }
    for (const course of courses) {
      expect(enrolled.filter((one) => one.course === course).length).toBeLessThanOrEqual(2);
    }
    const refusals = answers.flatMap((one) => (one.status === 'rejected' ? [one.reason.message] : []));
    expect(new Set(refusals).size).toBeGreaterThan(0);
    await expect(enrol({ course: 'nowhere', student: 'x' })).rejects.toThrow('no such course');
  });
});
