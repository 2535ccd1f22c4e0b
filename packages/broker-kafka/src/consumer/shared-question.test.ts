import { expect, test } from 'vitest';
import { SharedQuestion } from './shared-question.ts';

/** A question that the test answers. */
function asked() {
  const pending: PromiseWithResolvers<number>[] = [];
  const question = new SharedQuestion(() => {
    const one = Promise.withResolvers<number>();
    pending.push(one);
    return one.promise;
  });
  return { pending, question };
}

test('all who ask while one is under way share the next', async () => {
  const { pending, question } = asked();
  const first = question.answer();
  const later = [question.answer(), question.answer(), question.answer()];
  expect(pending).toHaveLength(1);
  pending[0]?.resolve(1);
  expect(await first).toBe(1);
  await Promise.resolve();
  expect(pending).toHaveLength(2);
  const latest = question.answer();
  pending[1]?.resolve(2);
  expect(await Promise.all(later)).toEqual([2, 2, 2]);
  await Promise.resolve();
  pending[2]?.resolve(3);
  expect(await latest).toBe(3);
});

test('one that fails fails only for who shared it', async () => {
  const { pending, question } = asked();
  const first = question.answer();
  const second = question.answer();
  pending[0]?.reject(new Error('gone'));
  await expect(first).rejects.toThrow('gone');
  await Promise.resolve();
  pending[1]?.resolve(2);
  expect(await second).toBe(2);
  const third = question.answer();
  pending[2]?.resolve(3);
  expect(await third).toBe(3);
});
