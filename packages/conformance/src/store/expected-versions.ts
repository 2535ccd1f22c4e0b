import assert from 'node:assert/strict';
import { ANY_VERSION, NO_STREAM, STREAM_EXISTS } from '@esdb-gater/types';
import { append, type CaseSpec, newEvent, newEvents, readEverything, refuses } from './harness.ts';

export const expectedVersions: readonly CaseSpec[] = [
  {
    title: 'the exact version lets an append pass',
    async body({ store }) {
      await append(store, 's', newEvents(3), NO_STREAM);
      assert.equal((await append(store, 's', [newEvent()], 2)).version, 3);
    },
  },
  {
    title: 'a wrong expected version is refused with the stream and both numbers, and nothing is written',
    async body({ store }) {
      await append(store, 's', newEvents(3));
      const expected = { streamId: 's', expected: 5, actual: 2 };
      const error = await refuses(append(store, 's', newEvents(2), 5), 'wrong_expected_version', expected);
      assert.equal(error.retriable, false);
      assert.equal((await readEverything(store)).length, 3);
    },
  },
  {
    title: 'NO_STREAM is refused for a stream that exists',
    async body({ store }) {
      await append(store, 's', [newEvent()], NO_STREAM);
      const expected = { expected: NO_STREAM, actual: 0 };
      await refuses(append(store, 's', [newEvent()], NO_STREAM), 'wrong_expected_version', expected);
    },
  },
  {
    title: 'an exact version is refused for a stream that does not exist',
    async body({ store }) {
      await refuses(append(store, 's', [newEvent()], 0), 'wrong_expected_version', { actual: -1 });
    },
  },
  {
    title: 'ANY_VERSION sent as a number passes for a stream that exists and one that does not',
    async body({ store }) {
      assert.equal((await append(store, 's', [newEvent()], ANY_VERSION)).version, 0);
      assert.equal((await append(store, 's', [newEvent()], -2)).version, 1);
    },
  },
  {
    title: 'STREAM_EXISTS passes only for a stream that exists',
    async body({ store }) {
      const refusal = { expected: STREAM_EXISTS, actual: -1 };
      await refuses(append(store, 's', [newEvent()], STREAM_EXISTS), 'wrong_expected_version', refusal);
      await append(store, 's', [newEvent()]);
      assert.equal((await append(store, 's', [newEvent()], STREAM_EXISTS)).version, 1);
    },
  },
  {
    title: 'other negative versions and fractions are invalid_argument',
    async body({ store }) {
      for (const version of [-3, -5, 0.5, Number.NaN, 2 ** 53]) {
        await refuses(append(store, 's', [newEvent()], version), 'invalid_argument');
      }
    },
  },
  {
    title: 'each stream has versions of its own',
    async body({ store }) {
      await append(store, 'a', newEvents(2), NO_STREAM);
      await append(store, 'b', newEvents(1), NO_STREAM);
      assert.equal((await append(store, 'a', [newEvent()], 1)).version, 2);
      assert.equal((await append(store, 'b', [newEvent()], 0)).version, 1);
    },
  },
];
