import type { Gater } from '@esdb-gater/gater';
import { GaterError } from '@esdb-gater/types';
import { afterEach, beforeEach, describe, expect, expectTypeOf, test, vi } from 'vitest';
import type { EventOf } from '../events.ts';
import { createTestGater, type TestGater } from '../testing/index.ts';
import { commandHandler } from './command-handler.ts';

interface Events {
  opened: { owner: string };
  deposited: { cents: number };
  withdrawn: { cents: number };
}
type AccountEvent = EventOf<Events>;

interface Account {
  readonly cents: number;
}
type AccountCommand =
  | {
      readonly kind: 'deposit';
      readonly account: string;
      readonly cents: number;
      readonly commandId?: string;
    }
  | {
      readonly kind: 'withdraw';
      readonly account: string;
      readonly cents: number;
      readonly commandId?: string;
    };

const stream = { storeId: 'default', streamId: 'account-a' };

let gater: TestGater<AccountEvent>;
beforeEach(() => {
  gater = createTestGater<AccountEvent>();
});
afterEach(() => gater.close());

function accounts(over: Gater<AccountEvent> = gater, every?: number) {
  return commandHandler({
    gater: over,
    streamId: (command: AccountCommand) => `account-${command.account}`,
    initialState: { cents: 0 } as Account,
    evolve(account, event) {
      if (event.type === 'opened') return account;
      const { cents } = event.data;
      return { cents: account.cents + (event.type === 'deposited' ? cents : -cents) };
    },
    decide({ kind, cents }, account) {
      if (kind === 'deposit') return { type: 'deposited', data: { cents } };
      if (cents === 0) return [];
      if (account.cents < cents) throw new RangeError(`only ${account.cents}`);
      return [{ type: 'withdrawn', data: { cents } }];
    },
    ...(every === undefined ? {} : { snapshot: { name: 'balance', every } }),
    retry: { baseDelayMs: 0, maxDelayMs: 0, maxAttempts: 5 },
  });
}

const deposit = (cents: number, commandId?: string): AccountCommand => ({
  kind: 'deposit',
  account: 'a',
  cents,
  ...(commandId === undefined ? {} : { commandId }),
});
const withdraw = (cents: number, commandId?: string): AccountCommand => ({
  ...deposit(cents, commandId),
  kind: 'withdraw',
});

async function types(): Promise<string[]> {
  const found: string[] = [];
  for await (const { type } of gater.events(stream)) found.push(type);
  return found;
}

test('a command is decided on the state of its stream, and its events are appended', async () => {
  const handle = accounts();
  expect(await handle(deposit(500))).toEqual({
    streamId: 'account-a',
    version: 0,
    position: 1,
    count: 1,
    duplicate: false,
  });
  expect(await handle(withdraw(200))).toMatchObject({ version: 1, position: 2 });
  await expect(handle(withdraw(301))).rejects.toThrow(new RangeError('only 300'));
  expect(await handle(withdraw(0))).toEqual({
    streamId: 'account-a',
    version: 1,
    count: 0,
    duplicate: false,
  });
  expect(await types()).toEqual(['deposited', 'withdrawn']);
});

test('commands that come at once are decided one after the other', async () => {
  const handle = accounts();
  await handle(deposit(3));
  const answers = await Promise.allSettled([1, 2, 3, 4, 5].map(() => handle(withdraw(1))));
  expect(answers.filter(({ status }) => status === 'fulfilled')).toHaveLength(3);
  expect(await types()).toEqual(['deposited', 'withdrawn', 'withdrawn', 'withdrawn']);
});

test('after the last attempt the conflict is the error', async () => {
  const append = vi.fn(async () => {
    throw new GaterError('wrong_expected_version', 'moved', {
      details: { streamId: 'a', expected: 0, actual: 1 },
    });
  });
  const handle = accounts(Object.assign(Object.create(gater), { appendEvents: append }));
  await expect(handle(deposit(1))).rejects.toMatchObject({ code: 'wrong_expected_version' });
  expect(append).toHaveBeenCalledTimes(5);
});

test('a version that the caller expects is not tried again', async () => {
  const handle = accounts();
  await handle(deposit(1));
  await expect(handle(deposit(1), { expectedVersion: 3 })).rejects.toMatchObject({
    code: 'wrong_expected_version',
    details: { streamId: 'account-a', expected: 3, actual: 0 },
  });
  expect(await handle(deposit(1), { expectedVersion: 0 })).toMatchObject({ version: 1 });
});

describe('a command with an id', () => {
  test('does nothing when it is repeated, and returns the same result', async () => {
    const handle = accounts();
    await handle(deposit(5));
    const first = await handle(withdraw(5, 'w-1'));
    await handle(deposit(1));
    // The account has 1 by now, so that deciding again would refuse it.
    expect(await handle(withdraw(5, 'w-1'))).toEqual({ ...first, duplicate: true });
    expect(await handle(withdraw(5), { commandId: 'w-1' })).toEqual({ ...first, duplicate: true });
    expect(await types()).toEqual(['deposited', 'withdrawn', 'deposited']);
  });

  test('writes once when it comes many times at once', async () => {
    const handle = accounts();
    await handle(deposit(9));
    const results = await Promise.all([1, 2, 3, 4].map(() => handle(withdraw(5, 'w'))));
    expect(new Set(results.map(({ version }) => version))).toEqual(new Set([1]));
    expect(await types()).toEqual(['deposited', 'withdrawn']);
  });

  test.each([withdraw(5, 'w-1'), withdraw(1, 'w-1'), withdraw(0, 'w-1')])(
    'is recognised behind a snapshot, whatever it decides now: %j',
    async (again) => {
      const handle = accounts(gater, 2);
      await handle(deposit(5));
      const first = await handle(withdraw(5, 'w-1'));
      for (let turn = 0; turn < 4; turn += 1) await handle(deposit(1));
      const { version } = await gater.readSnapshot({
        storeId: 'default',
        sourceUuid: 'balance',
        streamUuid: 'account-a',
      });
      expect(version).toBeGreaterThan(first.version);
      expect(await handle(again)).toEqual({ ...first, duplicate: true });
      expect(await types()).toHaveLength(6);
    },
  );

  test('gives its events the ids of their causes', async () => {
    const handle = accounts();
    await handle(deposit(1, 'c'), { correlationId: 'order-7', causationId: 'event-3' });
    await handle(deposit(1, 'd'));
    const { events } = await gater.getEvents(stream);
    expect(events.map(({ metadata }) => metadata)).toEqual([
      { correlationId: 'order-7', causationId: 'event-3' },
      { correlationId: 'd', causationId: 'd' },
    ]);
  });

  test.each(['', 'x'.repeat(1_025), 7])('is refused when the id is %j', async (commandId) => {
    await expect(accounts()(deposit(1), { commandId: commandId as string })).rejects.toMatchObject({
      code: 'invalid_argument',
      reason: 'commandId',
    });
  });
});

describe('snapshots', () => {
  test('are recorded every so many events, and shorten the reading', async () => {
    const handle = accounts(gater, 10);
    for (let turn = 0; turn < 25; turn += 1) await handle(deposit(1));
    const place = { storeId: 'default', sourceUuid: 'balance', streamUuid: 'account-a' };
    const { snapshots } = await gater.listSnapshots(place);
    expect(snapshots.map(({ version, record }) => [version, record])).toEqual([
      [19, { cents: 20 }],
      [9, { cents: 10 }],
    ]);
    const reads = vi.spyOn(gater, 'getEvents');
    await handle(withdraw(25));
    expect(reads.mock.calls.map(([params]) => params.startVersion)).toEqual([19]);
  });

  test('that cannot be recorded do not fail the command', async () => {
    const onFailure = vi.fn();
    const failing = Object.assign(Object.create(gater), {
      recordSnapshot: async () => {
        throw new GaterError('payload_too_large', 'too large');
      },
    }) as Gater<AccountEvent>;
    const handle = commandHandler({
      ...accounts(failing),
      gater: failing,
      streamId: () => 'account-a',
      snapshot: { name: 'balance', every: 1, onFailure },
    });
    await handle(deposit(1));
    expect(await handle(deposit(1))).toMatchObject({ version: 1 });
    expect(onFailure).toHaveBeenCalledWith(expect.objectContaining({ code: 'payload_too_large' }));
  });

  test('of a form that `restore` cannot read are not used', async () => {
    const onFailure = vi.fn();
    const place = { storeId: 'default', sourceUuid: 'balance', streamUuid: 'account-a' };
    await accounts()(deposit(7));
    await gater.recordSnapshot({ ...place, version: 0, record: { euros: 7 } });
    const handle = commandHandler({
      ...accounts(),
      gater,
      streamId: () => 'account-a',
      snapshot: {
        name: 'balance',
        every: 10,
        onFailure,
        restore({ record }) {
          const { cents } = record as { readonly cents?: number };
          if (cents === undefined) throw new TypeError('no cents');
          return { cents };
        },
      },
    });
    await handle(withdraw(7));
    expect(await types()).toEqual(['deposited', 'withdrawn']);
    expect(onFailure).toHaveBeenCalledWith(new TypeError('no cents'));
  });

  test.each([0, 1.5, 1_000_001])('every %j events are refused', (every) => {
    expect(() => accounts(gater, every)).toThrow(/`snapshot.every` must be an integer/);
  });
});

test('types come from the map of events', () => {
  const typed = accounts();
  expectTypeOf(typed).parameter(0).toEqualTypeOf<AccountCommand>();
  commandHandler({
    gater: gater as Gater<AccountEvent>,
    streamId: (id: string) => id,
    initialState: 0,
    evolve(sum, event) {
      expectTypeOf(sum).toEqualTypeOf<number>();
      if (event.type === 'opened') expectTypeOf(event.data.owner).toEqualTypeOf<string>();
      return sum;
    },
    // @ts-expect-error an event of another type, or with other data, does not compile
    decide: () => [{ type: 'deposited', data: { cents: 'many' } }],
  });
});
