import { expect, test } from 'vitest';
import { isUuid } from './uuid.ts';
import { createUuidV7, uuidV7 } from './uuid-v7.ts';

test('ids are UUIDs of version 7 with the time of their making', () => {
  const next = createUuidV7({ clock: { now: () => 0x0123_4567_89ab } });
  const id = next();
  expect(isUuid(id)).toBe(true);
  expect(id).toMatch(/^01234567-89ab-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});

test('ids grow within a millisecond, when the clock is set back, and when the counter is full', () => {
  let now = 1_000_000;
  const next = createUuidV7({ clock: { now: () => now }, randomBytes: (target) => target.fill(0xff) });
  let last = next();
  for (let count = 0; count < 300_000; count++) {
    if (count === 100) now -= 5_000;
    const id = next();
    if (id <= last) expect.unreachable(`${id} after ${last}`);
    last = id;
  }
});

test('no id comes twice', () => {
  const ids = Array.from({ length: 50_000 }, () => uuidV7());
  expect(new Set(ids).size).toBe(ids.length);
});

test('ids do not share random bytes', () => {
  let byte = 0;
  const next = createUuidV7({
    clock: { now: () => 1 },
    randomBytes: (target) => {
      for (const index of target.keys()) target[index] = byte++ & 0xff;
    },
  });
  expect([next(), next()]).toEqual([
    '00000000-0001-7000-8102-030405060708',
    '00000000-0001-7000-820b-0c0d0e0f1011',
  ]);
});

test('an id has the time that is passed in, as long as that grows', () => {
  const next = createUuidV7();
  expect(next(0x0123_4567_89ab).slice(0, 13)).toBe('01234567-89ab');
  expect(next(0x0123_4567_89ac).slice(0, 13)).toBe('01234567-89ac');
  expect(next(0).slice(0, 13)).toBe('01234567-89ac');
});
