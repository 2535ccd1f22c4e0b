import type { RecordedEvent } from '@esdb-gater/types';
import { expect, test } from 'vitest';
import { type QueryRead, readQueryPage } from './query-pages.ts';

const READ = { query: { items: [{ types: ['a'] }] }, after: 3, limit: 2 };

const at = (position: number) => ({ position }) as RecordedEvent;

/** Answers with these parts in turn, and notes what was asked for. */
function answering(...parts: readonly object[]) {
  const asked: Omit<QueryRead, 'query'>[] = [];
  const left = [...parts];
  const ask = async ({ after, limit, bytes }: QueryRead): Promise<string> => {
    asked.push({ after, limit, bytes });
    return JSON.stringify(left.shift());
  };
  return { asked, ask };
}

test('a search that pauses is resumed where it was, with what is left of the page', async () => {
  const { asked, ask } = answering(
    { events: [], state: 'paused', reached: 50, bytes: 0 },
    { events: [at(60)], state: 'paused', reached: 70, bytes: 9 },
    { events: [], state: 'end', reached: 99, bytes: 9 },
  );
  expect(await readQueryPage(READ, ask)).toEqual({ events: [at(60)], lastPosition: 99 });
  expect(asked).toEqual([
    { after: 3, limit: 2, bytes: 0 },
    { after: 50, limit: 2, bytes: 0 },
    { after: 70, limit: 1, bytes: 9 },
  ]);
});

test('a page that is full has next only when another match was found', async () => {
  const { asked, ask } = answering(
    { events: [at(5), at(6)], state: 'paused', reached: 8, bytes: 9 },
    { events: [], state: 'more', reached: 20, bytes: 9 },
  );
  expect(await readQueryPage(READ, ask)).toEqual({ events: [at(5), at(6)], lastPosition: 6, next: 6 });
  expect(asked.at(-1)).toEqual({ after: 8, limit: 0, bytes: 9 });
});
