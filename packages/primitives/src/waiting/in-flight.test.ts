import { expect, test } from 'vitest';
import { CountingController } from '../testing/index.ts';
import { InFlight } from './in-flight.ts';
import { nextTurn } from './next-turn.ts';

const reason = new Error('enough');

/** Calls that begin when there is room, and end when the test says so. */
function setUp(limit: number) {
  const calls = new InFlight(limit);
  const begun: string[] = [];
  const ends = new Map<string, PromiseWithResolvers<string>>();
  const run = (name: string, signal?: AbortSignal): Promise<string> => {
    const end = Promise.withResolvers<string>();
    ends.set(name, end);
    return calls.run(() => {
      begun.push(name);
      return end.promise;
    }, signal);
  };
  const end = async (name: string): Promise<void> => {
    ends.get(name)?.resolve(name);
    await nextTurn();
  };
  const fail = (name: string): void => ends.get(name)?.reject(reason);
  return { run, begun, end, fail };
}

test('as many calls as the limit run at once, and the others begin in order as places become free', async () => {
  const { run, begun, end } = setUp(2);
  const results = Promise.all(['a', 'b', 'c', 'd', 'e'].map((name) => run(name)));
  await nextTurn();
  expect(begun).toEqual(['a', 'b']);
  await end('b');
  expect(begun).toEqual(['a', 'b', 'c']);
  await end('c');
  await end('a');
  expect(begun).toEqual(['a', 'b', 'c', 'd', 'e']);
  await end('d');
  await end('e');
  expect(await results).toEqual(['a', 'b', 'c', 'd', 'e']);
});

test('places are free again after all calls have ended, and no more of them than before', async () => {
  const { run, begun, end } = setUp(1);
  for (const name of ['a', 'b', 'c']) {
    const result = run(name);
    await end(name);
    expect(await result).toBe(name);
  }
  void run('d');
  void run('e');
  await nextTurn();
  expect(begun).toEqual(['a', 'b', 'c', 'd']);
});

test('a call that fails gives its place to the next one', async () => {
  const { run, begun, fail } = setUp(1);
  const failing = run('a');
  void run('b');
  fail('a');
  await expect(failing).rejects.toBe(reason);
  expect(begun).toEqual(['a', 'b']);
});

test('a call whose signal aborts while it waits does not run, and the next one gets the place', async () => {
  const { run, begun, end } = setUp(1);
  const controller = new CountingController();
  void run('a');
  const aborted = run('b', controller.signal);
  void run('c');
  controller.abort(reason);
  await expect(aborted).rejects.toBe(reason);
  await end('a');
  expect(begun).toEqual(['a', 'c']);
});

test('a call whose signal has aborted does not wait', async () => {
  const { run, begun, end } = setUp(1);
  void run('a');
  await expect(run('b', AbortSignal.abort(reason))).rejects.toBe(reason);
  await end('a');
  expect(begun).toEqual(['a']);
});

test('a call that runs no longer listens to the signal it waited with', async () => {
  const { run, end } = setUp(1);
  const controller = new CountingController();
  void run('a');
  const waiting = run('b', controller.signal);
  expect(controller.listeners).toBe(1);
  await end('a');
  expect(controller.listeners).toBe(0);
  controller.abort(reason);
  await end('b');
  expect(await waiting).toBe('b');
});
