import { afterEach, beforeEach, expect, test } from 'vitest';
import type { EventOf } from '../events.ts';
import { createTestGater, type TestGater } from '../testing/index.ts';
import { decisionHandler } from './decision-handler.ts';

type SeatEvent = EventOf<{ seat_taken: { readonly by: string }; seat_freed: { readonly by: string } }>;
interface TakeSeat {
  readonly room: string;
  readonly by: string;
}

let gater: TestGater<SeatEvent>;
beforeEach(() => {
  gater = createTestGater<SeatEvent>();
});
afterEach(() => gater.close());

const seats = () =>
  decisionHandler({
    gater,
    query: ({ room }: TakeSeat) => ({ items: [{ tags: [`room:${room}`] }] }),
    streamId: ({ by }) => `person-${by}`,
    initialState: () => new Set<string>(),
    evolve(taken, { type, data }) {
      if (type === 'seat_taken') taken.add(data.by);
      else taken.delete(data.by);
      return taken;
    },
    decide({ room, by }, taken) {
      if (taken.has(by)) return [];
      if (taken.size >= 2) throw new Error('full');
      return { type: 'seat_taken', data: { by }, tags: [`room:${room}`] };
    },
    retry: { baseDelayMs: 0, maxDelayMs: 0, maxAttempts: 50 },
  });

test('decisions at once that depend on the same events keep their rule across streams', async () => {
  const take = seats();
  const people = ['a', 'b', 'c', 'd', 'e'];
  const answers = await Promise.allSettled(people.map((by) => take({ room: 'r', by })));
  expect(answers.filter(({ status }) => status === 'fulfilled')).toHaveLength(2);
  const { events } = await gater.readAll({ storeId: 'default' });
  expect(events.map(({ streamId }) => streamId)).toEqual([
    expect.stringMatching(/^person-/),
    expect.stringMatching(/^person-/),
  ]);
});

test('a decision without events appends nothing', async () => {
  const take = seats();
  const first = await take({ room: 'r', by: 'a' });
  expect(first).toEqual({ streamId: 'person-a', version: 0, position: 1, count: 1, duplicate: false });
  expect(await take({ room: 'r', by: 'a' })).toEqual({
    streamId: 'person-a',
    position: 1,
    count: 0,
    duplicate: false,
  });
});

test('a repeated command returns the same result, also when it would be refused now', async () => {
  const take = seats();
  const first = await take({ room: 'r', by: 'a' }, { commandId: 'c1' });
  await gater.appendEvents({
    storeId: 'default',
    streamId: 'person-a',
    events: [{ type: 'seat_freed', data: { by: 'a' }, tags: ['room:r'] }],
  });
  await take({ room: 'r', by: 'b' });
  await take({ room: 'r', by: 'c' });
  await expect(take({ room: 'r', by: 'a' })).rejects.toThrow('full');
  expect(await take({ room: 'r', by: 'a' }, { commandId: 'c1' })).toEqual({ ...first, duplicate: true });
  const repeats = await Promise.all([1, 2, 3].map(() => take({ room: 'q', by: 'z' }, { commandId: 'c2' })));
  expect(new Set(repeats.map(({ position }) => position)).size).toBe(1);
});

test('a repeat is found by the tag of the command also where its events are not of its query', async () => {
  const away = decisionHandler({
    ...seats(),
    gater,
    streamId: () => 'elsewhere',
    decide: ({ by }: TakeSeat) => ({ type: 'seat_taken', data: { by }, tags: ['room:other'] }),
  });
  const first = await away({ room: 'r', by: 'a' }, { commandId: 'c' });
  expect(await away({ room: 'r', by: 'a' }, { commandId: 'c' })).toEqual({ ...first, duplicate: true });
});
