import { expect, test } from 'vitest';
import { CountingController } from '../testing/counting-controller.ts';
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
