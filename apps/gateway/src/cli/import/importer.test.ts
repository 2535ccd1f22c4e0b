import { type AppendEventsParams, GaterError, invalidArgument, LIMITS } from '@esdb-gater/types';
import { describe, expect, test } from 'vitest';
import type { ImportedEvent } from './import-line.ts';
import { createImporter, ImportError, partsOf } from './importer.ts';

const imported = (number: number, streamId: string, data: unknown = number): ImportedEvent => ({
  line: number,
  streamId,
  event: { id: `id-${number}`, type: 't', data: data as number },
});

/** A store that knows ids, as idempotent appends do. */
function fakeStore() {
  const ids = new Set<string>();
  const appends: string[][] = [];
  return {
    ids,
    appends,
    async append({ streamId, events }: AppendEventsParams) {
      const known = events.filter(({ id }) => ids.has(id ?? ''));
      if (known.length > 0 && known.length < events.length)
        throw invalidArgument('id_conflict', 'some ids are old');
      for (const { id } of events) ids.add(id ?? '');
      appends.push([streamId, ...events.map(({ id }) => id ?? '')]);
      return { version: 0, position: 0, count: events.length, duplicate: known.length > 0 };
    },
  };
}

describe('the importer', () => {
  test("makes one append of each stream's events in a window, in their order", async () => {
    const store = fakeStore();
    const importer = createImporter('default', store.append);
    await importer.window([imported(1, 'a'), imported(2, 'b'), imported(3, 'a')]);
    expect(store.appends).toEqual([
      ['a', 'id-1', 'id-3'],
      ['b', 'id-2'],
    ]);
    expect(importer.counts()).toEqual({ written: 3, present: 0, streams: 2 });
  });

  test('run again writes nothing and says what was there', async () => {
    const store = fakeStore();
    await createImporter('default', store.append).window([imported(1, 'a'), imported(2, 'b')]);
    const again = createImporter('default', store.append);
    await again.window([imported(1, 'a'), imported(2, 'b')]);
    expect(again.counts()).toEqual({ written: 0, present: 2, streams: 2 });
  });

  test('goes on where an earlier run cut its windows elsewhere', async () => {
    const store = fakeStore();
    store.ids.add('id-1');
    const importer = createImporter('default', store.append);
    await importer.window([imported(1, 'a'), imported(2, 'a'), imported(3, 'a')]);
    expect(importer.counts()).toMatchObject({ written: 2, present: 1 });
  });

  test('names the first line of the append that was refused', async () => {
    const importer = createImporter('default', async ({ streamId }) => {
      if (streamId === 'a') return { version: 0, position: 0, count: 1, duplicate: false };
      throw new GaterError('stream_deleted', 'it is gone');
    });
    const failure = importer.window([imported(1, 'a'), imported(2, 'c'), imported(3, 'b')]);
    await expect(failure).rejects.toBeInstanceOf(ImportError);
    await expect(failure).rejects.toMatchObject({ line: 2, refusal: { code: 'stream_deleted' } });
  });

  test('keeps every append within what one call may carry', () => {
    const many = Array.from({ length: LIMITS.eventsPerAppend + 1 }, (_, index) => imported(index, 'a'));
    expect(partsOf(many).map((part) => part.length)).toEqual([LIMITS.eventsPerAppend, 1]);
    const big = Array.from({ length: 10 }, (_, index) => imported(index, 'a', 'x'.repeat(1_000_000)));
    expect(partsOf(big).every((part) => JSON.stringify(part).length < LIMITS.frameBytes / 2)).toBe(true);
  });
});
