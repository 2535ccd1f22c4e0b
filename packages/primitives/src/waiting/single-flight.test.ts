import { expect, test } from 'vitest';
import { SingleFlight } from './single-flight.ts';

/** A request that the test answers. */
function asked() {
  const pending: PromiseWithResolvers<number>[] = [];
  const flight = new SingleFlight(() => {
    const one = Promise.withResolvers<number>();
    pending.push(one);
    return one.promise;
  });
  return { pending, flight };
}

test('all callers while one is in flight share the next', async () => {
  const { pending, flight } = asked();
  const first = flight.run();
  const later = [flight.run(), flight.run(), flight.run()];
  expect(pending).toHaveLength(1);
  pending[0]?.resolve(1);
  expect(await first).toBe(1);
  await Promise.resolve();
  expect(pending).toHaveLength(2);
  const latest = flight.run();
  pending[1]?.resolve(2);
  expect(await Promise.all(later)).toEqual([2, 2, 2]);
  await Promise.resolve();
  pending[2]?.resolve(3);
  expect(await latest).toBe(3);
});

test('a failure reaches only the callers that shared the request', async () => {
  const { pending, flight } = asked();
  const first = flight.run();
  const second = flight.run();
  pending[0]?.reject(new Error('gone'));
  await expect(first).rejects.toThrow('gone');
  await Promise.resolve();
  pending[1]?.resolve(2);
  expect(await second).toBe(2);
  const third = flight.run();
  pending[2]?.resolve(3);
  expect(await third).toBe(3);
});
