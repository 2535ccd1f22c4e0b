import { expect, test } from 'vitest';
import { CountingController } from '../testing/counting-controller.ts';
import { nextTurn } from '../waiting/next-turn.ts';
import { WatchedValue } from './watched-value.ts';

test('a reader gets the present value, and then only the newest', async () => {
  const watched = new WatchedValue(1);
  const reader = watched.watch();
  expect((await reader.next()).value).toBe(1);
  watched.value = 2;
  watched.value = 3;
  expect((await reader.next()).value).toBe(3);
  expect(watched.value).toBe(3);
});

test('a reader that waits gets the change', async () => {
  const watched = new WatchedValue('a');
  const reader = watched.watch();
  await reader.next();
  const next = reader.next();
  watched.value = 'b';
  expect((await next).value).toBe('b');
});

test('readers end when their signal aborts, and leave no listener behind', async () => {
  const controller = new CountingController();
  const reader = new WatchedValue(1).watch(controller.signal);
  await reader.next();
  const next = reader.next();
  controller.abort();
  expect((await next).done).toBe(true);
  expect(controller.listeners).toBe(0);
  expect((await new WatchedValue(1).watch(AbortSignal.abort()).next()).done).toBe(true);
});

test('closing ends all readers', async () => {
  const watched = new WatchedValue(1);
  const [one, other] = [watched.watch(), watched.watch()];
  await one.next();
  const next = one.next();
  watched.close();
  watched.close();
  expect([(await next).done, (await other.next()).done]).toEqual([true, true]);
});

test('a reader that comes after changes begins with the present value', async () => {
  for (let changes = 0; changes < 4; changes++) {
    const watched = new WatchedValue(0);
    for (let n = 1; n <= changes; n++) watched.value = n;
    expect((await watched.watch().next()).value).toBe(changes);
  }
});

test('a reader that waits leaves the turn to others, and holds one listener for any number of changes', async () => {
  const controller = new CountingController();
  const watched = new WatchedValue(0);
  const reader = watched.watch(controller.signal);
  await reader.next();
  for (let n = 1; n <= 20; n++) {
    const next = reader.next();
    await nextTurn();
    expect(controller.listeners).toBe(1);
    watched.value = n;
    expect((await next).value).toBe(n);
  }
  expect(controller.listeners).toBe(0);
});
