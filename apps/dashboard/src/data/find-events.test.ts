import type { RecordedEvent, RemoteGater } from '@esdb-gater/client';
import { fc } from '@esdb-gater/property-testing';
import { expect, test } from 'vitest';
import { findRelated, positionAt, readNewest } from './find-events.ts';

const storeId = 'default';
const { signal } = new AbortController();

interface Written {
  readonly type: string;
  /** How much later than the event before, and how many positions after it, less one. */
  readonly laterMs: number;
  readonly hole: number;
}

/** Events with holes in their positions, and times that stand still or go on. */
const written = fc.array(
  fc.record({
    type: fc.constantFrom('a', 'b', 'c'),
    laterMs: fc.constantFrom(0, 1, 5),
    hole: fc.constantFrom(0, 0, 3, 2_000),
  }),
  { maxLength: 200 },
);

function eventsOf(list: readonly Written[]): RecordedEvent[] {
  let position = 0;
  let timeMs = 1_000_000;
  return list.map(({ type, laterMs, hole }, index) => {
    position += 1 + hole;
    timeMs += laterMs;
    const metadata = { correlationId: `c-${index % 3}` };
    return {
      id: `id-${index}`,
      type,
      position,
      epochUs: timeMs * 1_000,
      metadata,
    } as unknown as RecordedEvent;
  });
}

/** A client that reads these events as a gateway does. */
function clientOf(events: readonly RecordedEvent[]): RemoteGater {
  const readAll: Pick<RemoteGater, 'readAll'>['readAll'] = async ({ after = 0, limit = 100, query }) => {
    const types = query?.items[0]?.types;
    const matches = events.filter(
      ({ position, type }) => position > after && (types === undefined || types.includes(type)),
    );
    const page = matches.slice(0, limit);
    const next = matches.length > limit ? { next: page.at(-1)?.position ?? 0 } : {};
    const lastPosition = next.next ?? events.at(-1)?.position ?? 0;
    return { events: page, lastPosition, ...next };
  };
  return { readAll } as unknown as RemoteGater;
}

test('the pages of a store, newest first, have every event once', async () => {
  await fc.assert(
    fc.asyncProperty(
      written,
      fc.constantFrom(undefined, ['a'], ['a', 'c'], ['none']),
      async (list, types) => {
        const events = eventsOf(list);
        const client = clientOf(events);
        const seen: RecordedEvent[] = [];
        for (let before: number | undefined, more = true; more; ) {
          const page = await readNewest(client, { storeId, ...(types && { types }) }, before, signal, 20);
          seen.push(...page.events);
          before = page.older;
          more = before !== undefined;
        }
        expect(seen).toEqual(
          events
            .filter(({ type }) => (types as readonly string[] | undefined)?.includes(type) ?? true)
            .reverse(),
        );
      },
    ),
  );
});

test('the position at a time is that of the last event of that millisecond or before', async () => {
  await fc.assert(
    fc.asyncProperty(written, fc.integer({ min: -2, max: 400 }), async (list, sinceMs) => {
      const events = eventsOf(list);
      const timeMs = 1_000_000 + sinceMs;
      const expected = events.findLast(({ epochUs }) => epochUs <= timeMs * 1_000 + 999)?.position ?? 0;
      expect(await positionAt(clientOf(events), storeId, timeMs, signal)).toBe(expected);
    }),
  );
});

test('related events are those of a correlation, newest first, and the event itself', async () => {
  const events = eventsOf(Array.from({ length: 3_000 }, () => ({ type: 'a', laterMs: 1, hole: 0 })));
  const scanned: number[] = [];
  const client = clientOf(events);
  const found = await findRelated(client, storeId, 'c-1', undefined, signal, (search) =>
    scanned.push(search.scanned),
  );
  expect(found.events.length).toBe(667);
  expect(found.before).toBe(1_000);
  expect(scanned).toEqual([1_000, 2_000]);
  const rest = await findRelated(client, storeId, 'c-1', found.before, signal, () => undefined);
  expect(rest.before).toBeUndefined();
  expect([...found.events, ...rest.events]).toEqual(
    events.filter(({ metadata }) => metadata['correlationId'] === 'c-1').reverse(),
  );
  const [only] = (await findRelated(client, storeId, 'id-7', undefined, signal, () => undefined)).events;
  expect(only?.id).toBe('id-7');
});
