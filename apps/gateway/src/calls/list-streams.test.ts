import { fc } from '@esdb-gater/property-testing';
import type { GetStreamsParams, StreamNames } from '@esdb-gater/types';
import { expect, test } from 'vitest';
import { rangesBelow } from '../access/name-ranges.ts';
import { listVisibleStreams } from './list-streams.ts';

const byBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));

/** A store with these streams, and how often it was asked. */
function storeOf(names: readonly string[]) {
  const sorted = [...new Set(names)].sort(byBytes);
  const store = {
    calls: 0,
    async ask({ prefix = '', after, limit = 100 }: GetStreamsParams): Promise<StreamNames> {
      store.calls++;
      const rest = sorted.filter(
        (name) => name.startsWith(prefix) && (after === undefined || byBytes(name, after) > 0),
      );
      const streams = rest.slice(0, limit);
      return rest.length > limit ? { streams, next: streams.at(-1) as string } : { streams };
    },
  };
  return store;
}

const PREFIX = 'esdb://default/stream/s/';

/** What these grants show of a store, `*` at the end of a grant standing for any rest. */
function viewOf(grants: readonly string[]) {
  const covers = (name: string): boolean =>
    grants.some((grant) => (grant.endsWith('*') ? name.startsWith(grant.slice(0, -1)) : name === grant));
  const resources = grants.map((grant) => {
    const open = grant.endsWith('*');
    return `${PREFIX}${encodeURIComponent(open ? grant.slice(0, -1) : grant)}${open ? '*' : ''}`;
  });
  return {
    covers: (name: string) => covers(name.normalize('NFC')),
    ranges: rangesBelow(resources, PREFIX),
    isVisible: (name: string) => covers(name.normalize('NFC')),
  };
}

const text = (maxLength: number) =>
  fc.string({
    unit: fc.constantFrom('a', 'b', '-', '\u00e9', 'e\u0301', '\u{1f600}'),
    minLength: 1,
    maxLength,
  });
const name = text(4);
const grant = fc
  .tuple(
    text(2).map((one) => one.normalize('NFC')),
    fc.boolean(),
  )
  .map(([one, open]) => (open ? `${one}*` : one));

test('pages hold all that is visible, in order, each once, and no next names anything else', async () => {
  let several = 0;
  const found = async (names: string[], grants: string[], prefix: string, limit: number): Promise<void> => {
    const { ask } = storeOf(names);
    const view = viewOf(grants);
    const expected = [...new Set(names)]
      .filter((one) => one.startsWith(prefix) && view.covers(one))
      .sort(byBytes);
    const seen: string[] = [];
    for (let after: string | undefined; ; ) {
      const params = { storeId: 's', prefix, limit, ...(after === undefined ? {} : { after }) };
      const page = await listVisibleStreams(ask, params, view);
      seen.push(...page.streams);
      if (page.next === undefined) break;
      several++;
      expect(page.streams).toHaveLength(limit);
      expect(page.next).toBe(page.streams.at(-1));
      after = page.next;
    }
    expect(seen).toEqual(expected);
  };
  const names = fc.array(name, { maxLength: 60 });
  const grants = fc.array(grant, { minLength: 1, maxLength: 5 });
  const prefix = fc.constantFrom('', '', 'a', 'ab', '-', 'e', '\u00e9');
  await fc.assert(fc.asyncProperty(names, grants, prefix, fc.integer({ min: 1, max: 5 }), found), {
    numRuns: 2_000,
  });
  expect(several).toBeGreaterThan(100);
});

test('a store of many streams is not walked through for a few', async () => {
  const names = Array.from({ length: 50_000 }, (_, i) => `tenant-${String(i % 500).padStart(3, '0')}-${i}`);
  const store = storeOf(names);
  const view = viewOf(['tenant-250-*', 'tenant-400-400', 'nothing']);
  const { streams, next } = await listVisibleStreams(store.ask, { storeId: 's', limit: 1_000 }, view);
  expect([streams.length, next]).toEqual([101, undefined]);
  expect(store.calls).toBe(3);
});
