import { createFakeClock } from '@esdb-gater/primitives/testing';
import { expect, test } from 'vitest';
import { createCommitNotices } from './commit-notices.ts';
import type { PeerLink } from './peer-link.ts';

/** A link that keeps the positions that it is told of. */
function fakeLink() {
  const closing = Promise.withResolvers<undefined>();
  const positions: number[] = [];
  const link = {
    closed: closing.promise,
    notify: (_method: string, { position }: { readonly position: number }) => void positions.push(position),
  } as unknown as PeerLink;
  return { link, positions, close: () => closing.resolve(undefined) };
}

test('a node that has read a store is told of its commits, and one that has not is not', async () => {
  const clock = createFakeClock();
  const commits = createCommitNotices(clock);
  const [reader, other] = [fakeLink(), fakeLink()];
  commits.read(reader.link, 'orders');
  commits.read(other.link, 'users');
  commits.committed('orders', 1);
  await clock.passToNextTimer();
  expect([reader.positions, other.positions]).toEqual([[1], []]);
});

test('of the commits within 10 ms only the newest is told', async () => {
  const clock = createFakeClock();
  const commits = createCommitNotices(clock);
  const { link, positions } = fakeLink();
  commits.read(link, 'orders');
  for (const position of [1, 3, 2]) commits.committed('orders', position);
  await clock.pass(0);
  expect(positions).toEqual([3]);
  commits.committed('orders', 4);
  await clock.pass(9);
  commits.committed('orders', 5);
  expect(positions).toEqual([3]);
  await clock.pass(1);
  expect(positions).toEqual([3, 5]);
  expect(clock.timers).toBe(0);
});

test('a node is told for a minute after its last read', async () => {
  const clock = createFakeClock();
  const commits = createCommitNotices(clock);
  const { link, positions } = fakeLink();
  commits.read(link, 'orders');
  await clock.pass(59_000);
  commits.read(link, 'orders');
  await clock.pass(59_000);
  commits.committed('orders', 1);
  await clock.pass(0);
  await clock.pass(61_000);
  commits.committed('orders', 2);
  await clock.pass(10);
  expect(positions).toEqual([1]);
});

test('a link that has closed is forgotten, and nothing is told after the close', async () => {
  const clock = createFakeClock();
  const commits = createCommitNotices(clock);
  const [one, two] = [fakeLink(), fakeLink()];
  commits.read(one.link, 'orders');
  one.close();
  await clock.pass(0);
  commits.committed('orders', 1);
  commits.read(two.link, 'orders');
  commits.committed('orders', 2);
  commits.close();
  await clock.pass(1_000);
  expect([one.positions, two.positions]).toEqual([[], []]);
});
