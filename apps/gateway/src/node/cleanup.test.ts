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
