import assert from 'node:assert/strict';
import { setTimeout } from 'node:timers/promises';
import type { EventStore } from '@esdb-gater/types';
import { append, type CaseSpec, newEvents, readEverything, refuses } from './harness.ts';

const NEEDS = ['versionAt'] as const;

async function versionAt(store: EventStore, time: string, streamId = 's'): Promise<number> {
  return (await store.versionAt({ storeId: store.storeId, streamId, time })).version;
}

/** Appends events to a stream, each in a later millisecond of the store's clock, and returns their times. */
async function fill(store: EventStore, appends: number): Promise<string[]> {
  const times: string[] = [];
  while (times.length < appends) {
    const { position } = await append(store, 's', newEvents(1));
    await append(store, 'other', newEvents(1));
    times.push((await readEverything(store))[position - 1]?.timestamp ?? '');
    await setTimeout(3);
  }
  return times;
}

export const pastTimes: readonly CaseSpec[] = [
  {
    title: 'versionAt gives the version that the stream had, and an event of exactly that millisecond counts',
    needs: NEEDS,
    async body({ store }) {
      const times = await fill(store, 4);
      for (const [index, time] of times.entries()) {
        assert.equal(await versionAt(store, time), index);
        const before = new Date(Date.parse(time) - 1).toISOString();
        assert.equal(await versionAt(store, before), index - 1);
        // The rest of the millisecond is the same moment.
        assert.equal(await versionAt(store, time.replace('Z', '999Z')), index);
      }
    },
  },
  {
    title: 'versionAt takes any RFC 3339 time: long ago, far ahead, and with an offset',
    needs: NEEDS,
    async body({ store }) {
      const [first = ''] = await fill(store, 2);
      assert.equal(await versionAt(store, '0001-01-01T00:00:00Z'), -1);
      assert.equal(await versionAt(store, '9999-12-31T23:59:59Z'), 1);
      const later = new Date(Date.parse(first) + 2 * 3_600_000).toISOString().replace('Z', '+02:00');
      assert.equal(await versionAt(store, later), 0);
    },
  },
  {
    title: 'versionAt of a stream that never existed is -1',
    needs: NEEDS,
    async body({ store }) {
      assert.equal(await versionAt(store, '2100-01-01T00:00:00Z', 'none'), -1);
    },
  },
  {
    title: 'a delete does not change which version a stream had',
    needs: ['versionAt', 'deletion'],
    async body({ store }) {
      const times = await fill(store, 2);
      await store.deleteStream({ storeId: store.storeId, streamId: 's' });
      assert.equal(await versionAt(store, times[0] ?? ''), 0);
      assert.equal(await versionAt(store, '2199-01-01T00:00:00Z'), 1);
    },
  },
  {
    title: 'a time that is not RFC 3339 is invalid_argument',
    needs: NEEDS,
    async body({ store }) {
      for (const time of ['yesterday', '2026-01-31', '2026-02-30T00:00:00Z', '']) {
        await refuses(versionAt(store, time), 'invalid_argument', { reason: 'time' });
      }
    },
  },
];
