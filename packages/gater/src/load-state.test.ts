import { createRegistry } from '@esdb-gater/registry';
import { GaterError, type StoreWorker } from '@esdb-gater/types';
import { expect, test } from 'vitest';
import { createGater, type LocalGater } from './in-process/create-gater.ts';
import { loadState } from './load-state.ts';

interface Fakes {
  /** The versions that the stream has. */
  readonly versions?: readonly number[];
  readonly snapshot?: { readonly version: number; readonly record: unknown };
  readonly failure?: GaterError;
}

/** A `Gater` over a stream whose events carry their version as data. */
function gaterOf({ versions = [], snapshot, failure }: Fakes): LocalGater & { readonly asked: number[] } {
  const asked: number[] = [];
  const calls: Record<string, (params: { startVersion: number; count: number }) => unknown> = {
    readSnapshot() {
      if (snapshot === undefined) throw new GaterError('snapshot_not_found', 'none');
      return { sourceUuid: 'x', streamUuid: 'y', metadata: {}, timestamp: '', ...snapshot };
    },
    getVersion: () => ({ version: versions.at(-1) ?? -1 }),
    getEvents({ startVersion, count }) {
      asked.push(startVersion);
      if (failure !== undefined) throw failure;
      const rest = versions.filter((version) => version >= startVersion);
      const events = rest
        .slice(0, count)
        .map((version) => ({ version, position: version + 1, data: version }));
      return {
        events,
        version: versions.at(-1) ?? -1,
        ...(rest.length > count ? { next: rest[count] } : {}),
      };
    },
  };
  const registry = createRegistry();
  registry.register({
    storeId: 's',
    storeUuid: 's',
    workerId: 'w',
    nodeId: 'n',
    incarnation: 1,
    registeredAt: 0,
    methods: Object.keys(calls),
    call: (async (method: string, params: never) => calls[method]?.(params)) as StoreWorker['call'],
  });
  return Object.assign(createGater({ registry }), { asked });
}

const stream = { storeId: 's', streamId: 'a' };
const params = {
  ...stream,
  initialState: [] as readonly number[],
  evolve: (state: readonly number[], { data }: { readonly data: unknown }) => [...state, Number(data)],
  snapshot: { sourceUuid: 'x', streamUuid: 'y' },
  count: 2,
};
const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, index) => from + index);

test('without a snapshot the state comes from all events, page by page', async () => {
  const gater = gaterOf({ versions: range(0, 4) });
  expect(await loadState(gater, params)).toEqual({ state: range(0, 4), version: 4 });
  expect(gater.asked).toEqual([0, 2, 4]);
});

test('with a snapshot only the events after it are applied', async () => {
  const gater = gaterOf({ versions: range(0, 6), snapshot: { version: 3, record: [100] } });
  expect(await loadState(gater, params)).toEqual({ state: [100, 4, 5, 6], version: 6, snapshotVersion: 3 });
  expect(gater.asked[0]).toBe(3);
});

test('a snapshot of the newest event is the state', async () => {
  const gater = gaterOf({ versions: range(0, 3), snapshot: { version: 3, record: [100] } });
  expect(await loadState(gater, params)).toEqual({ state: [100], version: 3, snapshotVersion: 3 });
});

test.each([
  ['from before the stream was deleted and begun again', range(5, 7)],
  ['that is newer than the stream, which was restored', range(0, 2)],
])('a snapshot %s is not used', async (_, versions) => {
  const gater = gaterOf({ versions, snapshot: { version: 4, record: [100] } });
  expect(await loadState(gater, params)).toEqual({ state: versions, version: versions.at(-1) });
});

test('a snapshot that the program does not take is not used', async () => {
  const gater = gaterOf({ versions: range(0, 3), snapshot: { version: 2, record: { form: 'old' } } });
  const restore = () => undefined;
  const loaded = await loadState(gater, { ...params, snapshot: { ...params.snapshot, restore } });
  expect(loaded).toEqual({ state: range(0, 3), version: 3 });
});

test.each(['stream_not_found', 'stream_deleted'] as const)(
  '%s gives the initial state, and the version that an append expects',
  async (code) => {
    const versions = code === 'stream_deleted' ? range(0, 2) : [];
    const gater = gaterOf({
      versions,
      failure: new GaterError(code, 'gone'),
      snapshot: { version: 1, record: [100] },
    });
    expect(await loadState(gater, params)).toEqual({ state: [], version: versions.length - 1 });
  },
);

test('an initial state that is changed in place is made anew for each load', async () => {
  const gater = gaterOf({ versions: range(0, 2) });
  const evolve = (state: number[], { data }: { readonly data: unknown }) => {
    state.push(Number(data));
    return state;
  };
  const load = () => loadState(gater, { ...stream, initialState: () => [] as number[], evolve });
  await load();
  expect((await load()).state).toEqual([0, 1, 2]);
});
