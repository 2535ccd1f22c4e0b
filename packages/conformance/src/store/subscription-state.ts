import assert from 'node:assert/strict';
import type { EventStore, NewSubscription, ParkedRecord, SubscriptionState } from '@esdb-gater/types';
import type { CaseSpec } from './harness.ts';

const NEEDS = ['subscriptions'] as const;

function stateOf(store: EventStore): SubscriptionState {
  assert.ok(store.subscriptionState !== undefined, 'the store must have `subscriptionState`');
  return store.subscriptionState;
}

function subscription(name: string, more: Partial<NewSubscription> = {}): NewSubscription {
  return {
    name,
    type: 'event_pattern',
    selector: { data: { kind: ['a', 1, null], ['__proto__']: 'x' } },
    startFrom: 'latest',
    maxInFlight: 7,
    ackTimeoutMs: 1_000,
    maxRetries: 3,
    createdMs: 1_700_000_000_000,
    maker: 'did:key:z6Mk',
    checkpoint: { position: 5, proof: 'abcdefgh' },
    ...more,
  };
}

const parked = (position: number, more: Partial<ParkedRecord> = {}): ParkedRecord => ({
  position,
  eventId: `00000000-0000-7000-8000-${String(position).padStart(12, '0')}`,
  reason: 'it is “broken”\n',
  attempts: 2,
  parkedMs: 1_700_000_000_001,
  ...more,
});

const positionsOf = async (
  state: SubscriptionState,
  name: string,
  replaying = false,
  after = 0,
  limit = 1_000,
): Promise<[number[], boolean]> => {
  const { records, more } = await state.listParked(name, { replaying, after, limit });
  return [records.map(({ position }) => position), more];
};

export const subscriptionState: readonly CaseSpec[] = [
  {
    title: 'a subscription is kept as it was made, and made only once',
    needs: NEEDS,
    async body({ store }) {
      const state = stateOf(store);
      assert.deepEqual(await state.list(), []);
      assert.equal(await state.load('a'), undefined);
      assert.equal(await state.create(subscription('a')), true);
      assert.equal(await state.create(subscription('a', { maxRetries: 9 })), false);
      assert.deepEqual(await state.load('a'), { ...subscription('a'), parked: 0 });
    },
  },
  {
    title: 'subscriptions are listed in the order of the UTF-8 bytes of their names',
    needs: NEEDS,
    async body({ store }) {
      const state = stateOf(store);
      const names = ['B', 'a', '__proto__', '\u{1F600}', '\uFB01', "it's"];
      for (const name of names) await state.create(subscription(name));
      assert.deepEqual(
        (await state.list()).map(({ name }) => name),
        names.toSorted((one, other) => Buffer.compare(Buffer.from(one), Buffer.from(other))),
      );
    },
  },
  {
    title: 'a checkpoint of a subscription only moves forward within a turn',
    needs: NEEDS,
    async body({ store }) {
      const state = stateOf(store);
      await state.create(subscription('a'));
      const at = async () => (await state.load('a'))?.checkpoint;
      const earlier = [{ position: 2, proof: 'ijklmnop' }];
      await state.saveCheckpoint('a', { position: 9, proof: 'qrstuvwx', earlier });
      assert.deepEqual(await at(), { position: 9, proof: 'qrstuvwx', earlier });
      await state.saveCheckpoint('a', { position: 8, proof: 'qrstuvwx' });
      assert.equal((await at())?.position, 9);
      await state.saveCheckpoint('a', { position: 3, proof: 'qrstuvwx', turn: 1 });
      assert.deepEqual(await at(), { position: 3, proof: 'qrstuvwx', turn: 1 });
      await state.saveCheckpoint('a', { position: 10, proof: 'qrstuvwx' });
      assert.equal((await at())?.position, 3);
      await state.saveCheckpoint('none', { position: 10 });
      assert.equal(await state.load('none'), undefined);
    },
  },
  {
    title: 'parked events are listed by pages in the order of their positions, each position once',
    needs: NEEDS,
    async body({ store }) {
      const state = stateOf(store);
      await state.create(subscription('a'));
      await state.create(subscription('other'));
      for (const position of [5, 3, 9]) await state.park('a', parked(position));
      await state.park('a', parked(3, { reason: 'again', attempts: 4 }));
      await state.park('other', parked(4));
      await state.park('none', parked(4));
      assert.deepEqual(await positionsOf(state, 'a'), [[3, 5, 9], false]);
      assert.deepEqual(await positionsOf(state, 'a', false, 3, 1), [[5], true]);
      const { records } = await state.listParked('a', { replaying: false, after: 0, limit: 1 });
      assert.deepEqual(records, [parked(3, { reason: 'again', attempts: 4 })]);
      assert.equal((await state.load('a'))?.parked, 3);
      assert.deepEqual(await positionsOf(state, 'none'), [[], false]);
    },
  },
  {
    title:
      'parked events are marked for a replay, all or by their ids, until they are unparked or parked again',
    needs: NEEDS,
    async body({ store }) {
      const state = stateOf(store);
      await state.create(subscription('a'));
      for (const position of [1, 2, 3]) await state.park('a', parked(position));
      assert.equal(await state.markReplay('a', [parked(2).eventId, parked(8).eventId]), 1);
      assert.equal(await state.markReplay('a', [parked(2).eventId]), 0);
      assert.deepEqual(await positionsOf(state, 'a'), [[1, 3], false]);
      assert.deepEqual(await positionsOf(state, 'a', true), [[2], false]);
      assert.equal((await state.load('a'))?.parked, 2);
      assert.equal(await state.markReplay('a'), 2);
      await state.unpark('a', [1, 7]);
      await state.park('a', parked(3));
      assert.deepEqual(await positionsOf(state, 'a', true), [[2], false]);
      assert.deepEqual(await positionsOf(state, 'a'), [[3], false]);
      assert.equal(await state.markReplay('none'), 0);
    },
  },
  {
    title: 'a reset replaces the checkpoint, and forgets the parked events that come again',
    needs: NEEDS,
    async body({ store }) {
      const state = stateOf(store);
      await state.create(subscription('a'));
      for (const position of [1, 2, 3]) await state.park('a', parked(position));
      await state.reset('a', 2, { position: 2, proof: 'abcdefgh', turn: 1 });
      assert.deepEqual(await state.load('a'), {
        ...subscription('a'),
        startFrom: 2,
        checkpoint: { position: 2, proof: 'abcdefgh', turn: 1 },
        parked: 2,
      });
      await state.reset('none', 2, { position: 2, turn: 1 });
      assert.equal(await state.load('none'), undefined);
    },
  },
  {
    title: 'a removed subscription leaves nothing to one that is made anew under its name',
    needs: NEEDS,
    async body({ store }) {
      const state = stateOf(store);
      await state.create(subscription('a'));
      await state.park('a', parked(1));
      assert.equal(await state.remove('a'), true);
      assert.equal(await state.remove('a'), false);
      assert.equal(await state.create(subscription('a', { checkpoint: { position: 0 } })), true);
      assert.deepEqual(await state.load('a'), {
        ...subscription('a', { checkpoint: { position: 0 } }),
        parked: 0,
      });
    },
  },
  {
    title: 'subscriptions and parked events still exist after the store was reopened',
    needs: ['subscriptions', 'durability'],
    async body(trial) {
      const state = stateOf(trial.store);
      await state.create(subscription('a'));
      await state.saveCheckpoint('a', { position: 9, proof: 'qrstuvwx' });
      for (const position of [1, 2]) await state.park('a', parked(position));
      await state.markReplay('a', [parked(2).eventId]);
      const before = await state.list();
      const again = stateOf((await trial.reopen?.()) ?? trial.store);
      assert.deepEqual(await again.list(), before);
      assert.deepEqual(await positionsOf(again, 'a'), [[1], false]);
      assert.deepEqual(await positionsOf(again, 'a', true), [[2], false]);
    },
  },
];
