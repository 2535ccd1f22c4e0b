import { expect, test } from 'vitest';
import { Cleanup } from './cleanup.ts';

test('everything is closed once, the last opened first, also when one fails', async () => {
  const cleanup = new Cleanup();
  const closed: string[] = [];
  cleanup.defer(() => closed.push('first'));
  cleanup.defer(async () => {
    throw new Error('stuck');
  });
  cleanup.defer(async () => closed.push('last'));
  await expect(cleanup.run()).rejects.toThrow('stuck');
  await cleanup.run();
  expect(closed).toEqual(['last', 'first']);
});

test('a part that does not close in time does not keep the others from being closed [R24]', async () => {
  const cleanup = new Cleanup();
  const closed: string[] = [];
  cleanup.defer(async () => closed.push('first'));
  cleanup.defer(() => new Promise(() => undefined));
  cleanup.defer(async () => closed.push('last'));
  const wait = (step: Promise<unknown>) =>
    Promise.race([step.then(() => true), new Promise<boolean>((resolve) => setImmediate(resolve, false))]);
  await expect(cleanup.run(wait)).rejects.toThrow('a part did not close in time');
  expect(closed).toEqual(['last', 'first']);
});
