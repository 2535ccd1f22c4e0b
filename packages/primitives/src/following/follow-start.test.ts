import type { RecordedEvent } from '@esdb-gater/types';
import { expect, test } from 'vitest';
import { checkFollowStart, firstVersionAfter } from './follow-start.ts';

const event = (position: number, version = 0) =>
  ({ id: 'ABC', streamId: 's', position, version }) as RecordedEvent;

test('a position is there when the store reaches it, and its event has the id of the same stream', async () => {
  const check = (start: object, newest = 7) =>
    checkFollowStart(start, newest, async (after) => ({ events: [event(after + 1)] }));
  for (const start of [
    {},
    { after: 7 },
    { after: 5, afterId: 'abc' },
    { after: 5, afterId: 'abc', streamId: 's' },
  ]) {
    await check(start);
  }
  for (const start of [
    { after: 8 },
    { after: 5, afterId: 'x' },
    { after: 5, afterId: 'abc', streamId: 'other' },
  ]) {
    await expect(check(start)).rejects.toMatchObject({ reason: 'position_lost', newest: 7 });
  }
});

test('the first version after a position is found wherever it is, with few reads', async () => {
  const positions = Array.from({ length: 1_000 }, (_, version) => 10 + version * 3);
  for (const wanted of [0, 9, 10, 11, 13, 1_500, 3_006, 3_007, 9_999]) {
    let reads = 0;
    const found = await firstVersionAfter(wanted, async (version) => {
      reads += 1;
      const position = positions[version];
      return { events: position === undefined ? [] : [event(position, version)], version: 999 };
    });
    expect(found).toBe(positions.filter((position) => position <= wanted).length);
    expect(reads).toBeLessThan(13);
  }
});

test('the search ends when a read is ended', async () => {
  expect(await firstVersionAfter<undefined>(5, async () => undefined)).toBeUndefined();
});
