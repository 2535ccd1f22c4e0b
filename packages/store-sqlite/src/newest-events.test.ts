import { describe, expect, test } from 'vitest';
import { NewestEvents } from './newest-events.ts';
import { NEWEST_UNITS, WrittenTexts } from './written-texts.ts';

const textsOf = (from: number, to: number): string[] =>
  Array.from({ length: to - from + 1 }, (_, index) => JSON.stringify({ position: from + index }));

const positions = (events: NewestEvents, after: number, limit = 100): readonly number[] | undefined =>
  events.page(after, limit)?.events.map(({ position }) => position);

describe('NewestEvents', () => {
  test('returns the events after a position, with the position of the next page where more follow', () => {
    const events = new NewestEvents();
    events.add(3, textsOf(1, 3));
    events.add(5, textsOf(4, 5));
    expect(positions(events, 0)).toEqual([1, 2, 3, 4, 5]);
    expect(events.page(1, 3)).toMatchObject({ lastPosition: 4, next: 4 });
    expect(events.page(2, 3)).toMatchObject({ lastPosition: 5 });
    expect(events.page(2, 3)).not.toHaveProperty('next');
  });

  test('leaves to the store what it does not know', () => {
    const events = new NewestEvents();
    events.add(5, textsOf(4, 5));
    expect([2, 5, 6].map((after) => positions(events, after))).toEqual([undefined, undefined, undefined]);
    expect(positions(events, 3)).toEqual([4, 5]);
  });

  test('forgets what came before a gap, and before events without texts', () => {
    const events = new NewestEvents();
    events.add(2, textsOf(1, 2));
    events.add(5, textsOf(4, 5));
    expect([1, 3].map((after) => positions(events, after))).toEqual([undefined, [4, 5]]);
    events.add(7);
    events.add(8, textsOf(8, 8));
    expect([4, 6, 7].map((after) => positions(events, after))).toEqual([undefined, undefined, [8]]);
  });

  test('keeps at most its bound, the newest', () => {
    const events = new NewestEvents();
    const long = JSON.stringify({ position: 0, pad: 'x'.repeat(NEWEST_UNITS / 4) });
    for (let last = 1; last <= 5_000; last++)
      events.add(last, last % 500 === 0 ? [long] : textsOf(last, last));
    expect(events.page(4_999, 10)?.lastPosition).toBe(5_000);
    expect(events.page(3_600, 1_000)?.events).toHaveLength(1_000);
    expect(events.page(3_400, 1_000)).toBeUndefined();
  });
});

describe('WrittenTexts', () => {
  test('has what was committed, and nothing of what was rolled back', () => {
    const written = new WrittenTexts();
    written.begin(true);
    written.add('a');
    written.commit();
    written.add('b');
    written.rollBack();
    written.add('c');
    written.commit();
    expect(written.take()).toEqual(['a', 'c']);
  });

  test('has none while nobody wants them, and none of a message that is too long', () => {
    const written = new WrittenTexts();
    written.begin(false);
    written.add('a');
    expect(written.take()).toBeUndefined();
    written.begin(true);
    written.add('x'.repeat(NEWEST_UNITS));
    expect(written.wanted).toBe(true);
    written.add('a');
    written.commit();
    expect(written.take()).toBeUndefined();
  });
});
