import assert from 'node:assert/strict';
import { append, type CaseSpec, newEvent, newEvents, readEverything, refuses } from './harness.ts';

const CONFLICT = { reason: 'id_conflict' };

export const idempotence: readonly CaseSpec[] = [
  {
    title:
      'the same append again gives the first result with duplicate, although its expected version has passed',
    async body({ store }) {
      const events = newEvents(3);
      const first = await append(store, 's', events, -1);
      await append(store, 's', newEvents(2), 2);
      assert.deepEqual(await append(store, 's', events, -1), { ...first, duplicate: true });
      assert.equal((await readEverything(store)).length, 5);
    },
  },
  {
    title: 'a timed-out append is not written twice when it is sent again at the same moment',
    async body({ store }) {
      const events = newEvents(2);
      const results = await Promise.all([0, 1, 2].map(() => append(store, 's', events, -1)));
      assert.deepEqual(results.map((result) => result.duplicate).toSorted(), [false, true, true]);
      assert.equal((await readEverything(store)).length, 2);
    },
  },
  {
    title: 'member order, number spelling and missing defaults do not change the content',
    async body({ store }) {
      const event = newEvent('t', { data: { a: 1, b: [1e2, { c: null }] } });
      await append(store, 's', [event]);
      const same = JSON.parse('{"b":[100.0,{"c":null}],"a":1}');
      const again = await append(store, 's', [{ ...event, data: same, metadata: {}, tags: [] }]);
      assert.equal(again.duplicate, true);
    },
  },
  {
    title: 'an id in the other case is the same id',
    async body({ store }) {
      const event = newEvent();
      await append(store, 's', [event]);
      const upper = { ...event, id: String(event.id).toUpperCase() };
      assert.equal((await append(store, 's', [upper])).duplicate, true);
    },
  },
  {
    title: 'the same id with other content is id_conflict, whichever member differs',
    async body({ store }) {
      const event = newEvent('t', { data: { a: 1 }, metadata: { m: 1 }, tags: ['x', 'y'] });
      await append(store, 's', [event]);
      const others = [
        { type: 'u' },
        { data: { a: 2 } },
        { data: { a: 1, b: 1 } },
        { data: [1] },
        { metadata: {} },
        { tags: ['x'] },
        { tags: ['y', 'x'] },
      ];
      for (const other of others) {
        await refuses(append(store, 's', [{ ...event, ...other }]), 'invalid_argument', CONFLICT);
      }
      assert.equal((await readEverything(store)).length, 1);
    },
  },
  {
    title: 'some ids old and some new is id_conflict, and nothing is written',
    async body({ store }) {
      const [first, second] = newEvents(2) as [ReturnType<typeof newEvent>, ReturnType<typeof newEvent>];
      await append(store, 's', [first]);
      await refuses(append(store, 's', [first, second]), 'invalid_argument', CONFLICT);
      await refuses(append(store, 's', [second, first]), 'invalid_argument', CONFLICT);
      assert.equal((await readEverything(store)).length, 1);
    },
  },
  {
    title: 'an id twice in a call is id_conflict',
    async body({ store }) {
      const event = newEvent();
      await refuses(append(store, 's', [event, event]), 'invalid_argument', CONFLICT);
      assert.equal((await readEverything(store)).length, 0);
    },
  },
  {
    title: 'old ids in another order are id_conflict',
    async body({ store }) {
      const events = newEvents(2);
      await append(store, 's', events);
      await refuses(append(store, 's', events.toReversed()), 'invalid_argument', CONFLICT);
    },
  },
  {
    title: 'the same ids in another stream are other events, whatever their content [R5] [T29]',
    async body({ store }) {
      const events = newEvents(2);
      await append(store, 'a', events);
      const changed = events.map((event) => ({ ...event, data: 'other' }));
      const { position, ...result } = await append(store, 'b', changed, -1);
      assert.deepEqual(result, { version: 1, count: 2, duplicate: false });
      assert.equal((await append(store, 'a', events, -1)).duplicate, true);
      assert.deepEqual(await append(store, 'b', changed, -1), { ...result, position, duplicate: true });
      await refuses(append(store, 'b', events), 'invalid_argument', CONFLICT);
      const ids = (await readEverything(store)).map(({ id, streamId }) => [streamId, id]);
      assert.deepEqual(
        ids,
        ['a', 'b'].flatMap((stream) => events.map(({ id }) => [stream, id])),
      );
    },
  },
  {
    title: 'an answer about ids does not depend on the events of other streams [R5] [T29]',
    async body({ store }) {
      const [taken, fresh] = newEvents(2) as [ReturnType<typeof newEvent>, ReturnType<typeof newEvent>];
      await append(store, 'stranger', [taken]);
      const wrong = [taken, fresh].map(async (event, index) => {
        const error = await refuses(append(store, `own${index}`, [event], 5), 'wrong_expected_version');
        return { ...error.details, streamId: '' };
      });
      assert.deepEqual(await wrong[0], await wrong[1]);
      const both = await append(store, 'own', [fresh, taken]);
      assert.deepEqual([both.version, both.duplicate], [1, false]);
    },
  },
  {
    title: 'ids are looked at before the expected version',
    async body({ store }) {
      const event = newEvent();
      await append(store, 's', [event]);
      await refuses(append(store, 's', [{ ...event, data: 2 }], 77), 'invalid_argument', CONFLICT);
      assert.equal((await append(store, 's', [event], 77)).duplicate, true);
    },
  },
  {
    title: 'a refused append leaves its ids free',
    async body({ store }) {
      const events = newEvents(2);
      await refuses(append(store, 's', events, 4), 'wrong_expected_version');
      assert.equal((await append(store, 's', events, -1)).duplicate, false);
    },
  },
];
