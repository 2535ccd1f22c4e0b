import assert from 'node:assert/strict';
import type { EventStore, JsonValue, SnapshotPage } from '@esdb-gater/types';
import { type CaseSpec, refuses } from './harness.ts';

const NAMES = ['__proto__', 'constructor', 'toString', '😀', 'a b', '%', '.', 'x'.repeat(255)];

function at(store: EventStore, sourceUuid = 'source', streamUuid = 'stream') {
  return { storeId: store.storeId, sourceUuid, streamUuid } as const;
}

function versionsOf({ snapshots: list }: SnapshotPage): number[] {
  return list.map(({ version }) => version);
}

/** The versions of all pages. */
async function listVersions(store: EventStore, count?: number): Promise<number[]> {
  const all: number[] = [];
  let startVersion: number | undefined = -1;
  while (startVersion !== undefined) {
    const page: SnapshotPage = await store.listSnapshots({
      ...at(store),
      startVersion,
      ...(count === undefined ? {} : { count }),
    });
    all.push(...versionsOf(page));
    startVersion = page.next;
  }
  return all;
}

export const snapshots: readonly CaseSpec[] = [
  {
    title: 'a snapshot comes back as it was recorded, with a time',
    needs: ['snapshots'],
    async body({ store }) {
      const given = { version: 7, record: { balance: 3, list: [1, null] }, metadata: { by: 'x' } };
      assert.deepEqual(await store.recordSnapshot({ ...at(store), ...given }), {});
      const { timestamp, ...rest } = await store.readSnapshot({ ...at(store), version: 7 });
      assert.deepEqual(rest, { sourceUuid: 'source', streamUuid: 'stream', ...given });
      assert.match(timestamp, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    },
  },
  {
    title: 'metadata that was not given is empty',
    needs: ['snapshots'],
    async body({ store }) {
      await store.recordSnapshot({ ...at(store), version: 0, record: null });
      const read = await store.readSnapshot(at(store));
      assert.deepEqual([read.record, read.metadata], [null, {}]);
    },
  },
  {
    title: 'without a version the newest snapshot is read, whatever the order of recording',
    needs: ['snapshots'],
    async body({ store }) {
      for (const version of [5, 20, 9])
        await store.recordSnapshot({ ...at(store), version, record: version });
      assert.equal((await store.readSnapshot(at(store))).version, 20);
      assert.equal((await store.readSnapshot({ ...at(store), version: 9 })).record, 9);
    },
  },
  {
    title: 'snapshots are listed newest first',
    needs: ['snapshots'],
    async body({ store }) {
      for (const version of [5, 20, 9, 100])
        await store.recordSnapshot({ ...at(store), version, record: version });
      const { snapshots: list } = await store.listSnapshots(at(store));
      assert.deepEqual(
        list.map((snapshot) => [snapshot.version, snapshot.record]),
        [
          [100, 100],
          [20, 20],
          [9, 9],
          [5, 5],
        ],
      );
    },
  },
  {
    title: 'a list of snapshots is read page by page, complete and without repetition [R18]',
    needs: ['snapshots'],
    async body({ store }) {
      for (const version of [3, 0, 7, 40, 12, 5])
        await store.recordSnapshot({ ...at(store), version, record: version });
      const first = await store.listSnapshots({ ...at(store), count: 4 });
      assert.deepEqual([versionsOf(first), first.next], [[40, 12, 7, 5], 3]);
      assert.deepEqual(await listVersions(store, 4), [40, 12, 7, 5, 3, 0]);
      assert.deepEqual(await listVersions(store, 1), [40, 12, 7, 5, 3, 0]);
      const exact = await store.listSnapshots({ ...at(store), count: 6 });
      assert.deepEqual([exact.snapshots.length, 'next' in exact], [6, false]);
      // The start is inclusive, and need not exist.
      assert.deepEqual(
        versionsOf(await store.listSnapshots({ ...at(store), startVersion: 7 })),
        [7, 5, 3, 0],
      );
      assert.deepEqual(
        versionsOf(await store.listSnapshots({ ...at(store), startVersion: 11 })),
        [7, 5, 3, 0],
      );
      assert.deepEqual(versionsOf(await store.listSnapshots({ ...at(store), startVersion: 0 })), [0]);
      assert.equal((await store.listSnapshots({ ...at(store), startVersion: -1 })).snapshots.length, 6);
    },
  },
  {
    title: 'a list of large snapshots ends its pages early and still gives them all [R18]',
    needs: ['snapshots'],
    async body({ store }) {
      const record = 'x'.repeat(900_000);
      for (let version = 0; version < 20; version += 1)
        await store.recordSnapshot({ ...at(store), version, record });
      const first = await store.listSnapshots(at(store));
      assert.deepEqual([first.snapshots.length, first.next], [9, 10]);
      assert.deepEqual(
        await listVersions(store),
        Array.from({ length: 20 }, (_, index) => 19 - index),
      );
    },
  },
  {
    title: 'a count or a start of a snapshot list out of bounds is invalid_argument [R18]',
    needs: ['snapshots'],
    async body({ store }) {
      for (const wrong of [{ count: 0 }, { count: 1_001 }, { count: 1.5 }, { startVersion: -2 }]) {
        await refuses(store.listSnapshots({ ...at(store), ...wrong }), 'invalid_argument');
      }
    },
  },
  {
    title: 'the same version again overwrites',
    needs: ['snapshots'],
    async body({ store }) {
      await store.recordSnapshot({ ...at(store), version: 1, record: 'old', metadata: { a: 1 } });
      await store.recordSnapshot({ ...at(store), version: 1, record: 'new' });
      const { snapshots: list } = await store.listSnapshots(at(store));
      assert.deepEqual(
        list.map(({ record, metadata }) => [record, metadata]),
        [['new', {}]],
      );
    },
  },
  {
    title: 'a missing snapshot is snapshot_not_found, and a missing list is empty',
    needs: ['snapshots'],
    async body({ store }) {
      await refuses(store.readSnapshot(at(store)), 'snapshot_not_found');
      await store.recordSnapshot({ ...at(store), version: 1, record: 1 });
      await refuses(store.readSnapshot({ ...at(store), version: 2 }), 'snapshot_not_found', { version: 2 });
      assert.deepEqual(await store.listSnapshots(at(store, 'other')), { snapshots: [] });
      assert.deepEqual(await store.listSnapshots(at(store, 'source', 'other')), { snapshots: [] });
    },
  },
  {
    title: 'a snapshot is deleted once',
    needs: ['snapshots'],
    async body({ store }) {
      for (const version of [1, 2]) await store.recordSnapshot({ ...at(store), version, record: version });
      assert.deepEqual(await store.deleteSnapshot({ ...at(store), version: 2 }), { deleted: true });
      assert.deepEqual(await store.deleteSnapshot({ ...at(store), version: 2 }), { deleted: false });
      assert.equal((await store.readSnapshot(at(store))).version, 1);
    },
  },
  {
    title: 'deleteSnapshot without a version deletes all of a stream’s, and no others',
    needs: ['snapshots'],
    async body({ store }) {
      for (const version of [1, 2, 3]) await store.recordSnapshot({ ...at(store), version, record: version });
      await store.recordSnapshot({ ...at(store, 'source', 'other'), version: 1, record: 1 });
      await store.recordSnapshot({ ...at(store, 'other'), version: 1, record: 1 });
      assert.deepEqual(await store.deleteSnapshot(at(store)), { deleted: true });
      assert.deepEqual(await store.listSnapshots(at(store)), { snapshots: [] });
      assert.deepEqual(await store.deleteSnapshot(at(store)), { deleted: false });
      assert.equal((await store.readSnapshot(at(store, 'source', 'other'))).version, 1);
      assert.equal((await store.readSnapshot(at(store, 'other'))).version, 1);
    },
  },
  {
    title: 'odd names are names like any other, and keep apart',
    needs: ['snapshots'],
    async body({ store }) {
      for (const [index, name] of NAMES.entries()) {
        await store.recordSnapshot({ ...at(store, name, 's'), version: index, record: name });
        await store.recordSnapshot({ ...at(store, 's', name), version: index, record: { of: name } });
      }
      for (const [index, name] of NAMES.entries()) {
        assert.equal((await store.readSnapshot({ ...at(store, name, 's'), version: index })).record, name);
        assert.deepEqual((await store.readSnapshot(at(store, 's', name))).record, { of: name });
        assert.equal((await store.listSnapshots(at(store, name, 's'))).snapshots.length, 1);
      }
      const joined = await store.listSnapshots(at(store, 's', 's'));
      assert.deepEqual(joined, { snapshots: [] });
    },
  },
  {
    title: 'a large record comes back whole',
    needs: ['snapshots'],
    async body({ store }) {
      const record: JsonValue = Array.from({ length: 2_000 }, (_, index) => ({
        index,
        text: 'ü'.repeat(100),
      }));
      await store.recordSnapshot({ ...at(store), version: 3, record });
      assert.deepEqual((await store.readSnapshot(at(store))).record, record);
    },
  },
  {
    title: 'a version below zero is invalid_argument',
    needs: ['snapshots'],
    async body({ store }) {
      await refuses(store.recordSnapshot({ ...at(store), version: -1, record: 1 }), 'invalid_argument');
      await refuses(store.readSnapshot({ ...at(store), version: -1 }), 'invalid_argument');
    },
  },
];
