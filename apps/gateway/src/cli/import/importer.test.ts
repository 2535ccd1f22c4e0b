import { type AppendEventsParams, GaterError, invalidArgument, LIMITS } from '@esdb-gater/types';
import { describe, expect, test } from 'vitest';
import { LineError } from '../lines.ts';
import type { ImportedEvent } from './import-line.ts';
import { createImporter, type ImporterOptions, partsOf } from './importer.ts';

const imported = (
  number: number,
  streamId: string,
  more: { readonly data?: unknown; readonly hasOwnId?: boolean } = {},
): ImportedEvent => ({
  place: { number },
  streamId,
  event: { id: `id-${number}`, type: 't', data: (more.data ?? number) as number },
  hasOwnId: more.hasOwnId ?? false,
});

const numbered = (from: number, to: number, more: Parameters<typeof imported>[2] = {}) =>
  Array.from({ length: to - from + 1 }, (_, index) => imported(from + index, `s-${index % 3}`, more));

/** A store that knows ids, as idempotent appends do, and refuses some. */
function fakeStore(refused: (id: string, streamId: string) => GaterError | undefined = () => undefined) {
  const ids = new Set<string>();
  const appends: string[][] = [];
  return {
    ids,
    appends,
    async append({ streamId, events }: AppendEventsParams) {
      const names = events.map(({ id }) => id ?? '');
      appends.push([streamId, ...names]);
      const refusal = names.map((id) => refused(id, streamId)).find((error) => error !== undefined);
      if (refusal !== undefined) throw refusal;
      const known = names.filter((id) => ids.has(id));
      if (known.length > 0 && known.length < names.length)
        throw invalidArgument('id_conflict', 'some ids are old');
      for (const id of names) ids.add(id);
      return { version: 0, position: 0, count: events.length, duplicate: known.length > 0 };
    },
  };
}

const importerOf = (store: ReturnType<typeof fakeStore>, options: Partial<ImporterOptions> = {}) =>
  createImporter(store.append, {
    storeId: 'default',
    restricted: false,
    frameBytes: LIMITS.frameBytes,
    signal: new AbortController().signal,
    ...options,
  });

describe('the importer', () => {
  test("makes one append of each stream's events in a window, in their order", async () => {
    const store = fakeStore();
    const importer = importerOf(store);
    await importer.write([imported(1, 'a'), imported(2, 'b'), imported(3, 'a')]);
    expect(store.appends).toEqual([
      ['a', 'id-1', 'id-3'],
      ['b', 'id-2'],
    ]);
    expect(importer.counts()).toEqual({ written: 3, present: 0, streams: 2 });
  });

  test('run again writes nothing and says what was there', async () => {
    const store = fakeStore();
    await importerOf(store).write([imported(1, 'a'), imported(2, 'b')]);
    const again = importerOf(store);
    await again.write([imported(1, 'a'), imported(2, 'b')]);
    expect(again.counts()).toEqual({ written: 0, present: 2, streams: 2 });
  });

  test('goes on where an earlier run cut its windows elsewhere', async () => {
    const store = fakeStore();
    store.ids.add('id-1');
    const importer = importerOf(store);
    await importer.write([imported(1, 'a'), imported(2, 'a'), imported(3, 'a')]);
    expect(importer.counts()).toMatchObject({ written: 2, present: 1 });
  });

  test('names the first line of the append that was refused', async () => {
    const gone = new GaterError('stream_deleted', 'it is gone');
    const importer = importerOf(fakeStore((_, streamId) => (streamId === 'a' ? undefined : gone)));
    const failure = importer.write([imported(1, 'a'), imported(2, 'c'), imported(3, 'b')]);
    await expect(failure).rejects.toBeInstanceOf(LineError);
    await expect(failure).rejects.toMatchObject({ line: 2, refusal: { code: 'stream_deleted' } });
  });

  test.each([1, 2, 17, 63, 64, 100])(
    'names line %i of 100 when the gateway refuses it, with all before and nothing behind it written [R15]',
    async (line) => {
      const conflict = invalidArgument('id_conflict', 'it has other content');
      for (const events of [
        numbered(1, 100, { hasOwnId: true }),
        numbered(1, 100, { hasOwnId: true }).map((event) => ({ ...event, streamId: 'one' })),
      ]) {
        const store = fakeStore((id) => (id === `id-${line}` ? conflict : undefined));
        await expect(importerOf(store).write(events)).rejects.toMatchObject({
          line,
          refusal: { code: 'invalid_argument', details: { reason: 'id_conflict', line } },
        });
        const before = events.slice(0, line - 1).map(({ event }) => event.id);
        expect([...store.ids].sort()).toEqual(before.sort());
      }
    },
  );

  test('asks about each stream by itself before it writes behind a line that the token may not allow [R15]', async () => {
    const forbidden = new GaterError('unauthorized', 'no', {
      details: { reason: 'insufficient_permissions' },
    });
    const store = fakeStore((_, streamId) => (streamId === 's-2' ? forbidden : undefined));
    const failure = importerOf(store, { restricted: true }).write(numbered(1, 100));
    await expect(failure).rejects.toMatchObject({ line: 3, refusal: { code: 'unauthorized' } });
    expect([...store.ids]).toEqual(['id-1', 'id-2']);
  });

  test('appends streams at once when no line can be refused by itself', async () => {
    const store = fakeStore();
    await importerOf(store).write(numbered(1, 300));
    expect(store.appends.map(([streamId, ...ids]) => [streamId, ids.length])).toEqual([
      ['s-0', 100],
      ['s-1', 100],
      ['s-2', 100],
    ]);
  });

  test('finds old lines among new ones, wherever they are', async () => {
    const store = fakeStore();
    const old = [2, 3, 40, 77, 100];
    for (const line of old) store.ids.add(`id-${line}`);
    const importer = importerOf(store);
    await importer.write(numbered(1, 100));
    expect(importer.counts()).toMatchObject({ written: 95, present: 5 });
    expect(store.ids.size).toBe(100);
  });

  test('ends between two appends when it is interrupted', async () => {
    const interruption = new AbortController();
    const store = fakeStore();
    const append: typeof store.append = async (params) => {
      interruption.abort(new Error('interrupted'));
      return store.append(params);
    };
    const importer = importerOf({ ...store, append }, { signal: interruption.signal });
    await expect(importer.write(numbered(1, 10, { hasOwnId: true }))).rejects.toThrow('interrupted');
    expect(importer.counts()).toMatchObject({ written: 1 });
  });

  test('keeps every append within what one call may carry', () => {
    const units = LIMITS.frameBytes / 4;
    const many = Array.from({ length: LIMITS.eventsPerAppend + 1 }, (_, index) => imported(index, 'a'));
    expect(partsOf(many, units).map((part) => part.length)).toEqual([LIMITS.eventsPerAppend, 1]);
    const big = Array.from({ length: 10 }, (_, index) =>
      imported(index, 'a', { data: 'x'.repeat(1_000_000) }),
    );
    expect(partsOf(big, units).every((part) => JSON.stringify(part).length < LIMITS.frameBytes / 2)).toBe(
      true,
    );
  });
});
