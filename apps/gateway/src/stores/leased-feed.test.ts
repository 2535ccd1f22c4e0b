import type { KafkaLease } from '@esdb-gater/broker-kafka';
import type { Feed } from '@esdb-gater/event-store';
import { silentLogger } from '@esdb-gater/types';
import { beforeEach, expect, test } from 'vitest';
import { createLeasedFeed, type LeasedFeed } from './leased-feed.ts';

const said: string[] = [];
let tell: (epoch: number | undefined) => void;
let closeFeed: () => Promise<void>;
beforeEach(() => {
  said.length = 0;
  closeFeed = async () => {};
});

function leasedFeed(
  options: { readonly epoch?: number; readonly after?: Promise<unknown> } = {},
): LeasedFeed {
  const acquire = (): KafkaLease => {
    said.push('asked');
    return {
      name: 'lease',
      epoch: options.epoch,
      onChange(listener) {
        tell = listener;
        return () => void said.push('deaf');
      },
      release: async () => void said.push('given up'),
    };
  };
  const open = (): Feed => {
    said.push('begun');
    return {
      position: 0,
      health: () => ({ status: 'degraded', position: 0, message: 'waiting' }),
      caughtUp: async () => {},
      async close() {
        await closeFeed();
        said.push('ended');
      },
    };
  };
  return createLeasedFeed({ acquire, open, logger: silentLogger, after: options.after });
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('a feed starts when the lease is acquired, ends when it is lost, and starts again', async () => {
  const feed = leasedFeed();
  feed.want(true);
  await settled();
  expect(said).toEqual(['asked']);
  tell(1);
  tell(undefined);
  await settled();
  tell(5);
  expect(said).toEqual(['asked', 'begun', 'ended', 'begun']);
});

test('a lease that is already held starts one feed at once', async () => {
  const feed = leasedFeed({ epoch: 3 });
  feed.want(true);
  await settled();
  tell(3);
  expect(said).toEqual(['asked', 'begun']);
});

test('the checkpoint is saved before the lease is released', async () => {
  const { promise: saved, resolve } = Promise.withResolvers<void>();
  const feed = leasedFeed({ epoch: 1 });
  feed.want(true);
  await settled();
  closeFeed = () => saved;
  feed.want(false);
  await settled();
  expect(said).toEqual(['asked', 'begun', 'deaf']);
  resolve();
  await settled();
  expect(said).toEqual(['asked', 'begun', 'deaf', 'ended', 'given up']);
});

test('a new request for the lease waits until the release is complete', async () => {
  const { promise: saved, resolve } = Promise.withResolvers<void>();
  const feed = leasedFeed({ epoch: 1 });
  feed.want(true);
  await settled();
  closeFeed = () => saved;
  feed.want(false);
  await settled();
  feed.want(true);
  await settled();
  expect(said).toEqual(['asked', 'begun', 'deaf']);
  resolve();
  await settled();
  expect(said).toEqual(['asked', 'begun', 'deaf', 'ended', 'given up', 'asked', 'begun']);
});

test('a change that is reverted in the same turn has no effect', async () => {
  const feed = leasedFeed({ epoch: 1 });
  feed.want(true);
  await settled();
  feed.want(false);
  feed.want(true);
  await settled();
  expect(said).toEqual(['asked', 'begun']);
});

test('the lease is not requested before an earlier feed of that name has released it', async () => {
  const { promise: after, reject } = Promise.withResolvers<void>();
  const feed = leasedFeed({ after });
  feed.want(true);
  await settled();
  expect(said).toEqual([]);
  reject(new Error('it did not close'));
  await settled();
  expect(said).toEqual(['asked']);
});

test('is healthy while another node feeds; else reports the health of its feed', async () => {
  const feed = leasedFeed();
  feed.want(true);
  await settled();
  expect(feed.health()).toEqual({ status: 'healthy' });
  tell(1);
  expect(feed.health()).toMatchObject({ status: 'degraded', message: 'waiting' });
});

test('close ends the feed, and releases the lease even if the feed does not close', async () => {
  const feed = leasedFeed({ epoch: 1 });
  feed.want(true);
  await settled();
  closeFeed = () => Promise.reject(new Error('no'));
  await feed.close();
  expect(said).toEqual(['asked', 'begun', 'deaf', 'given up']);
  feed.want(true);
  await settled();
  expect(said).toHaveLength(4);
});
