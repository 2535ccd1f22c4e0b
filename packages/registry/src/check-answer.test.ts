import type { RecordedEvent, Snapshot, StoreMethod, StoreParamsOf } from '@esdb-gater/types';
import { describe, expect, test } from 'vitest';
import { createRegistry } from './registry.ts';
import { createRemoteWorker } from './remote-worker.ts';

const STORE = { storeId: 'default' } as const;
const STREAM = { ...STORE, streamId: 's' } as const;
const IDS = { ...STORE, sourceUuid: 'a', streamUuid: 'b' } as const;
const NEW = [
  { type: 't', data: 1 },
  { type: 't', data: 2 },
];
const TWO = (streamId: string) => ({ streamId, events: NEW });
const QUERY = { items: [{ types: ['t'] }] };
const HUGE = Number.MAX_SAFE_INTEGER;

function event(
  version: number,
  position: number = version + 1,
  more: Partial<RecordedEvent> = {},
): RecordedEvent {
  return {
    id: `id-${position}`,
    type: 't',
    storeId: 'default',
    streamId: 's',
    version,
    position,
    data: null,
    metadata: {},
    tags: [],
    timestamp: '2026-01-31T12:00:00.000Z',
    epochUs: position,
    ...more,
  };
}

function snapshot(version: number, more: Partial<Snapshot> = {}): Snapshot {
  const { sourceUuid, streamUuid } = IDS;
  return {
    sourceUuid,
    streamUuid,
    version,
    record: 1,
    metadata: {},
    timestamp: '2026-01-31T12:00:00.000Z',
    ...more,
  };
}

const appended = (version: number, position: number, count: number, duplicate = false) => ({
  version,
  position,
  count,
  duplicate,
});

/** Calls a remote worker that answers like this. */
function answered<M extends StoreMethod>(
  method: M,
  params: StoreParamsOf<M>,
  result: unknown,
): Promise<unknown> {
  const peer = { call: async () => result };
  return createRemoteWorker({ peer, storeId: 'default', workerId: 'far', nodeId: 'b' }).call(method, params);
}

type Case = {
  [M in StoreMethod]: readonly [what: string, method: M, params: StoreParamsOf<M>, result: unknown];
}[StoreMethod];

const MISFITS: readonly Case[] = [
  ['a wrong count', 'appendEvents', { ...STREAM, events: NEW }, appended(1, 2, 1)],
  ['a version below the count', 'appendEvents', { ...STREAM, events: NEW }, appended(0, 2, 2)],
  ['a position below the count', 'appendEvents', { ...STREAM, events: NEW }, appended(1, 1, 2)],
  [
    'a version that was not expected',
    'appendEvents',
    { ...STREAM, expectedVersion: 4, events: NEW },
    appended(7, 9, 2),
  ],
  [
    'too few results',
    'appendToStreams',
    { ...STORE, appends: [{ streamId: 's', events: NEW }] },
    { results: [] },
  ],
  [
    'a wrong count in one result',
    'appendToStreams',
    { ...STORE, appends: [{ streamId: 's', events: NEW }] },
    { results: [appended(2, 3, 3)] },
  ],
  [
    'a position in the result of a check',
    'appendToStreams',
    { ...STORE, appends: [{ streamId: 's', events: [] }] },
    { results: [appended(2, 3, 0)] },
  ],
  [
    'another version than a check expected',
    'appendToStreams',
    { ...STORE, appends: [{ streamId: 's', expectedVersion: 1, events: [] }] },
    { results: [{ version: 2, count: 0, duplicate: false }] },
  ],
  [
    'a result without a position',
    'appendToStreams',
    { ...STORE, appends: [{ streamId: 's', events: NEW }] },
    { results: [{ version: 1, count: 2, duplicate: false }] },
  ],
  [
    'positions that do not follow each other',
    'appendToStreams',
    { ...STORE, appends: [TWO('a'), TWO('b')] },
    { results: [appended(1, 2, 2), appended(1, 5, 2)] },
  ],
  [
    'duplicates beside what was written',
    'appendToStreams',
    { ...STORE, appends: [TWO('a'), TWO('b')] },
    { results: [appended(1, 2, 2), appended(1, 4, 2, true)] },
  ],
  [
    'an event of another store',
    'getEvents',
    STREAM,
    { events: [event(0, 1, { storeId: 'other' })], version: 0 },
  ],
  [
    'an event of another stream',
    'getEvents',
    STREAM,
    { events: [event(0, 1, { streamId: 'x' })], version: 0 },
  ],
  [
    'more events than asked for',
    'getEvents',
    { ...STREAM, count: 1 },
    { events: [event(0), event(1)], version: 1 },
  ],
  [
    'a version before the start',
    'getEvents',
    { ...STREAM, startVersion: 2 },
    { events: [event(1)], version: 5 },
  ],
  ['versions that descend', 'getEvents', STREAM, { events: [event(1), event(0)], version: 1 }],
  ['a version twice', 'getEvents', STREAM, { events: [event(0), event(0, 2)], version: 1 }],
  ['a gap', 'getEvents', STREAM, { events: [event(0), event(2)], version: 2 }],
  ['a version above that of the stream', 'getEvents', STREAM, { events: [event(0), event(1)], version: 0 }],
  ['positions that descend', 'getEvents', STREAM, { events: [event(0, 5), event(1, 4)], version: 1 }],
  [
    'versions that ascend in a read backward',
    'getEvents',
    { ...STREAM, direction: 'backward' },
    { events: [event(0), event(1)], version: 1 },
  ],
  [
    'a version after the start of a read backward',
    'getEvents',
    { ...STREAM, direction: 'backward', startVersion: 1 },
    { events: [event(2)], version: 3 },
  ],
  ['a `next` that does not advance', 'getEvents', STREAM, { events: [event(0)], version: 3, next: 0 }],
  ['a `next` beyond the stream', 'getEvents', STREAM, { events: [event(0)], version: 3, next: 4 }],
  ['an empty page with `next`', 'getEvents', STREAM, { events: [], version: 3, next: 1 }],
  [
    'a `next` backward that does not advance',
    'getEvents',
    { ...STREAM, direction: 'backward' },
    { events: [event(3)], version: 3, next: 3 },
  ],
  ['a stream without the prefix', 'getStreams', { ...STORE, prefix: 'a' }, { streams: ['b'] }],
  ['a stream at `after`', 'getStreams', { ...STORE, after: 'b' }, { streams: ['b'] }],
  ['streams out of order', 'getStreams', STORE, { streams: ['\u{1f600}', '\uff5e'] }],
  ['a stream twice', 'getStreams', STORE, { streams: ['a', 'a'] }],
  ['more streams than asked for', 'getStreams', { ...STORE, limit: 1 }, { streams: ['a', 'b'] }],
  ['a `next` before the last stream', 'getStreams', STORE, { streams: ['a', 'b'], next: 'a' }],
  [
    'an empty page of streams with `next`',
    'getStreams',
    { ...STORE, after: 'b' },
    { streams: [], next: 'b' },
  ],
  ['another version than expected', 'deleteStream', { ...STREAM, expectedVersion: 3 }, { version: 4 }],
  ['a break in a verified stream', 'verifyStream', STREAM, { verified: true, brokenAt: 2 }],
  [
    'an event of another store',
    'readAll',
    STORE,
    { events: [event(0, 1, { storeId: 'x' })], lastPosition: 1 },
  ],
  ['a position at `after`', 'readAll', { ...STORE, after: 1 }, { events: [event(0)], lastPosition: 1 }],
  ['a position twice', 'readAll', STORE, { events: [event(0), event(1, 1)], lastPosition: 1 }],
  ['positions that descend', 'readAll', STORE, { events: [event(0, 5), event(1, 4)], lastPosition: 5 }],
  [
    'versions of a stream that descend',
    'readAll',
    STORE,
    { events: [event(1, 1), event(0, 2)], lastPosition: 2 },
  ],
  [
    'more events than asked for',
    'readAll',
    { ...STORE, limit: 1 },
    { events: [event(0), event(1)], lastPosition: 2 },
  ],
  ['a `lastPosition` below its events', 'readAll', STORE, { events: [event(0), event(1)], lastPosition: 1 }],
  ['a `lastPosition` beyond its events', 'readAll', STORE, { events: [event(0)], lastPosition: HUGE }],
  [
    'a `lastPosition` beyond an empty page',
    'readAll',
    { ...STORE, after: 3 },
    { events: [], lastPosition: 4 },
  ],
  ['an empty page with `next`', 'readAll', STORE, { events: [], lastPosition: 0, next: 0 }],
  ['a `next` that does not advance', 'readAll', STORE, { events: [event(0)], lastPosition: 1, next: 0 }],
  ['a `next` beyond `lastPosition`', 'readAll', STORE, { events: [event(0)], lastPosition: 1, next: 2 }],
  [
    'a position at `after` of a query',
    'queryEvents',
    { ...STORE, query: QUERY, after: 1 },
    { events: [event(0)], lastPosition: 9 },
  ],
  [
    'an event that does not match the query',
    'queryEvents',
    { ...STORE, query: QUERY },
    { events: [event(0), event(1, 2, { type: 'u' })], lastPosition: 9 },
  ],
  [
    'an event without a tag of the query',
    'readAll',
    { ...STORE, query: { items: [{ types: ['t'], tags: ['a', 'b'] }] } },
    { events: [event(0, 1, { tags: ['a'] })], lastPosition: 9 },
  ],
  [
    'an empty page with `next`',
    'queryEvents',
    { ...STORE, query: QUERY },
    { events: [], lastPosition: 9, next: 5 },
  ],
  ['another source', 'readSnapshot', IDS, snapshot(1, { sourceUuid: 'x' })],
  ['another stream', 'readSnapshot', IDS, snapshot(1, { streamUuid: 'x' })],
  ['another version', 'readSnapshot', { ...IDS, version: 2 }, snapshot(1)],
  ['a snapshot of another stream', 'listSnapshots', IDS, { snapshots: [snapshot(1, { streamUuid: 'x' })] }],
  ['snapshots that ascend', 'listSnapshots', IDS, { snapshots: [snapshot(1), snapshot(2)] }],
];

const MORE_MISFITS: readonly Case[] = [
  ['too many results', 'appendToStreams', { ...STORE, appends: [] }, { results: [appended(1, 2, 2)] }],
  [
    'the misfit of a second result',
    'appendToStreams',
    {
      ...STORE,
      appends: [
        { streamId: 's', events: NEW },
        { streamId: 'r', expectedVersion: 3, events: NEW },
      ],
    },
    { results: [appended(1, 2, 2), appended(6, 4, 2)] },
  ],
  [
    'a first append at another version than 0 was expected',
    'appendEvents',
    { ...STREAM, expectedVersion: 0, events: NEW },
    appended(3, 4, 2),
  ],
  ['a `lastPosition` below its only event', 'readAll', STORE, { events: [event(0, 5)], lastPosition: 4 }],
  ['another version than 0 expected', 'deleteStream', { ...STREAM, expectedVersion: 0 }, { version: 1 }],
  [
    'versions twice in a read backward',
    'getEvents',
    { ...STREAM, direction: 'backward' },
    { events: [event(3), event(3, 3)], version: 3 },
  ],
  [
    'a gap in a read backward',
    'getEvents',
    { ...STREAM, direction: 'backward' },
    { events: [event(3), event(1)], version: 3 },
  ],
  [
    'positions that ascend in a read backward',
    'getEvents',
    { ...STREAM, direction: 'backward' },
    { events: [event(3, 4), event(2, 5)], version: 3 },
  ],
  ['a position twice', 'getEvents', STREAM, { events: [event(0, 5), event(1, 5)], version: 1 }],
  [
    'a version above that of the stream in a read backward',
    'getEvents',
    { ...STREAM, direction: 'backward', startVersion: 9 },
    { events: [event(5)], version: 4 },
  ],
  [
    'a start of -1 in a read backward that is above the stream',
    'getEvents',
    { ...STREAM, direction: 'backward', startVersion: -1 },
    { events: [event(3)], version: 2 },
  ],
  ['a `next` at its last event', 'getEvents', STREAM, { events: [event(0), event(1)], version: 3, next: 1 }],
  ['more than 100 events when no count was given', 'getEvents', STREAM, { events: many(101), version: 100 }],
  ['more than 100 of a store', 'readAll', STORE, { events: many(101), lastPosition: 101 }],
  [
    'more than 100 names',
    'getStreams',
    STORE,
    { streams: Array.from({ length: 101 }, (_, n) => String(n).padStart(4, '0')) },
  ],
  ['an empty first page of streams with `next`', 'getStreams', STORE, { streams: [], next: 'b' }],
  ['a `next` before `after`', 'getStreams', { ...STORE, after: 'b' }, { streams: [], next: 'a' }],
  [
    'a version of a stream twice, with another stream in between',
    'readAll',
    STORE,
    { events: [event(3, 1), event(4, 2, { streamId: 'x' }), event(3, 3)], lastPosition: 3 },
  ],
  ['another source in a list', 'listSnapshots', IDS, { snapshots: [snapshot(1, { sourceUuid: 'x' })] }],
  ['a snapshot twice', 'listSnapshots', IDS, { snapshots: [snapshot(2), snapshot(2)] }],
];

/** Events of a stream from its beginning. */
function many(count: number): RecordedEvent[] {
  return Array.from({ length: count }, (_, version) => event(version));
}

const FITTING: readonly Case[] = [
  ['the first append', 'appendEvents', { ...STREAM, expectedVersion: -1, events: NEW }, appended(1, 2, 2)],
  [
    'appends to streams',
    'appendToStreams',
    {
      ...STORE,
      appends: [
        { streamId: 's', events: NEW },
        { streamId: 'r', expectedVersion: 3, events: NEW },
      ],
    },
    { results: [appended(1, 2, 2), appended(5, 4, 2)] },
  ],
  ['a deletion at the expected version', 'deleteStream', { ...STREAM, expectedVersion: 3 }, { version: 3 }],
  ['a deletion at any version', 'deleteStream', STREAM, { version: 7 }],
  ['a deletion of a stream that exists', 'deleteStream', { ...STREAM, expectedVersion: -1 }, { version: 7 }],
  ['a broken stream', 'verifyStream', STREAM, { verified: false, brokenAt: 2 }],
  ['100 events', 'getEvents', STREAM, { events: many(100), version: 100, next: 100 }],
  ['an empty page', 'getEvents', STREAM, { events: [], version: 3 }],
  [
    'a page from its start on',
    'getEvents',
    { ...STREAM, startVersion: 2 },
    { events: [event(2), event(3)], version: 3 },
  ],
  [
    'a page backward from its start on',
    'getEvents',
    { ...STREAM, direction: 'backward', startVersion: 2 },
    { events: [event(2), event(1)], version: 3, next: 0 },
  ],
  [
    'a page backward from -1, which is the end',
    'getEvents',
    { ...STREAM, direction: 'backward', startVersion: -1 },
    { events: [event(3), event(2)], version: 3 },
  ],
  [
    'a page backward with a gap before its first event',
    'getEvents',
    { ...STREAM, direction: 'backward', startVersion: 9 },
    { events: [event(4)], version: 4 },
  ],
  ['names with the prefix', 'getStreams', { ...STORE, prefix: 'a' }, { streams: ['a', 'ab'] }],
  ['names after `after`', 'getStreams', { ...STORE, after: 'a' }, { streams: ['b'], next: 'c' }],
  ['an empty page of names that goes on', 'getStreams', { ...STORE, after: 'a' }, { streams: [], next: 'b' }],
  ['an empty page of names', 'getStreams', STORE, { streams: [] }],
  [
    'streams that alternate',
    'readAll',
    STORE,
    { events: [event(3, 1), event(1, 2, { streamId: 'x' }), event(4, 3)], lastPosition: 3 },
  ],
  [
    'a `next` at the end',
    'readAll',
    { ...STORE, after: 4 },
    { events: [event(0, 7)], lastPosition: 7, next: 7 },
  ],
  ['a snapshot of the version', 'readSnapshot', { ...IDS, version: 3 }, snapshot(3)],
  ['an append', 'appendEvents', { ...STREAM, expectedVersion: 4, events: NEW }, appended(6, 9, 2)],
  ['a duplicate', 'appendEvents', { ...STREAM, expectedVersion: 4, events: NEW }, appended(1, 2, 2, true)],
  [
    'a stream begun again',
    'appendEvents',
    { ...STREAM, expectedVersion: -1, events: NEW },
    appended(6, 9, 2),
  ],
  [
    'appends to several streams, and a check',
    'appendToStreams',
    { ...STORE, appends: [TWO('a'), { streamId: 's', expectedVersion: 4, events: [] }, TWO('b')] },
    { results: [appended(1, 2, 2), { version: 4, count: 0, duplicate: false }, appended(5, 4, 2)] },
  ],
  [
    'duplicates in several streams',
    'appendToStreams',
    { ...STORE, appends: [TWO('a'), TWO('b')] },
    { results: [appended(1, 9, 2, true), appended(1, 4, 2, true)] },
  ],
  ['a page', 'getEvents', { ...STREAM, count: 2 }, { events: [event(0), event(1)], version: 3, next: 2 }],
  ['a stream that begins behind a deletion', 'getEvents', STREAM, { events: [event(7, 20)], version: 7 }],
  [
    'a page backward',
    'getEvents',
    { ...STREAM, direction: 'backward', count: 2 },
    { events: [event(3), event(2)], version: 3, next: 1 },
  ],
  [
    'a page backward from beyond the end',
    'getEvents',
    { ...STREAM, direction: 'backward', startVersion: 50 },
    { events: [event(1), event(0)], version: 1 },
  ],
  [
    'names in the order of their bytes',
    'getStreams',
    STORE,
    { streams: ['a', '\uff5e', '\u{1f600}'], next: '\u{1f600}' },
  ],
  ['a page', 'readAll', { ...STORE, limit: 2 }, { events: [event(0), event(1)], lastPosition: 2, next: 2 }],
  ['the end', 'readAll', { ...STORE, after: 2 }, { events: [], lastPosition: 2 }],
  ['an end before `after`', 'readAll', { ...STORE, after: 9 }, { events: [], lastPosition: 2 }],
  ['the rest of a query', 'queryEvents', { ...STORE, query: QUERY }, { events: [event(0)], lastPosition: 9 }],
  ['the newest snapshot', 'readSnapshot', IDS, snapshot(3)],
  ['snapshots', 'listSnapshots', IDS, { snapshots: [snapshot(3), snapshot(1)] }],
];

describe("a worker's answer is compared with the question", () => {
  test.each([...MISFITS, ...MORE_MISFITS])(
    '%s of %s %j is internal [R2] [T26]',
    async (_, method, params, result) => {
      await expect(answered(method, params as never, result)).rejects.toMatchObject({
        code: 'internal',
        // Whoever writes a worker needs to know which member does not fit.
        message: expect.stringMatching(/does not fit the question: (`|.* of `|the number of )/) as string,
        storeId: 'default',
        method,
      });
    },
  );

  test.each(FITTING)('%s of %s %j passes [R2]', async (_, method, params, result) => {
    expect(await answered(method, params as never, result)).toBe(result);
  });

  test('an answer that does not fit is a strike against the worker [R2] [T26]', async () => {
    const peer = { call: async () => ({ events: [event(0, 1, { storeId: 'other' })], lastPosition: 1 }) };
    const registry = createRegistry();
    registry.register(createRemoteWorker({ peer, storeId: 'default', workerId: 'far', nodeId: 'b' }));
    const watcher = registry.watch()[Symbol.asyncIterator]();
    for (let call = 0; call < 3; call++) {
      await expect(registry.pick('default').call('readAll', STORE)).rejects.toMatchObject({
        code: 'internal',
      });
    }
    expect((await watcher.next()).value).toMatchObject({ kind: 'ejected' });
    registry.close();
  });
});
