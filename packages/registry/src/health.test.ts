import { createFakeClock } from '@esdb-gater/primitives/testing';
import type { HealthStatus } from '@esdb-gater/protocol';
import { GaterError, type Registry } from '@esdb-gater/types';
import { expect, test } from 'vitest';
import { fakeWorker } from '../tests/fake-worker.ts';
import { countLiveWorkers, overallHealth, probeStores } from './health.ts';
import { createRegistry } from './registry.ts';

const health = (statuses: readonly HealthStatus[]) => ({
  stores: Object.fromEntries(statuses.map((status, index) => [`s${index}`, { status, workers: [] }])),
  reasons: statuses.flatMap((status, index) =>
    status === 'healthy' ? [] : [{ component: `store:s${index}`, code: 'no_workers', message: 'gone' }],
  ),
});

test.each<[stores: readonly HealthStatus[], broker: HealthStatus | undefined, overall: HealthStatus]>([
  [[], undefined, 'healthy'],
  [['healthy'], undefined, 'healthy'],
  [['healthy'], 'healthy', 'healthy'],
  [['healthy', 'degraded'], undefined, 'degraded'],
  [['healthy', 'unhealthy'], undefined, 'degraded'],
  [['degraded', 'unhealthy'], undefined, 'degraded'],
  [['unhealthy', 'unhealthy'], undefined, 'unhealthy'],
  [['unhealthy'], 'healthy', 'unhealthy'],
  [['healthy'], 'degraded', 'degraded'],
  [['healthy'], 'unhealthy', 'unhealthy'],
  [[], 'unhealthy', 'unhealthy'],
])('stores that are %j with a broker that is %s make %s', (stores, broker, overall) => {
  expect(overallHealth(health(stores), broker)).toBe(overall);
});

test('any other reason makes healthy stores degraded', () => {
  const reasons = [{ component: 'event_loop', code: 'overloaded', message: 'late' }];
  expect(overallHealth({ ...health(['healthy']), reasons })).toBe('degraded');
});

test('a store without a worker is unhealthy, and a store with some silent workers is degraded', async () => {
  const registry = createRegistry();
  const silent = fakeWorker('silent');
  silent.behave(new GaterError('unavailable', 'the disk is gone'));
  registry.declare('afar');
  registry.register(fakeWorker('sound'));
  registry.register(silent);
  expect(await probeStores(registry)).toEqual({
    stores: {
      afar: { status: 'unhealthy', workers: [] },
      default: { status: 'degraded', workers: [{ workerId: 'sound', nodeId: 'node-a' }] },
    },
    reasons: [
      { component: 'store:afar', code: 'no_workers', message: 'no worker is registered' },
      { component: 'store:default', code: 'unavailable', message: 'silent does not answer' },
    ],
  });
  expect(await countLiveWorkers(registry, 'default')).toEqual({ workers: 1 });
  registry.close();
});

test('a store whose workers all answer is healthy, and one whose workers are all silent is unhealthy', async () => {
  const registry = createRegistry();
  const silent = [1, 2].map((n) => fakeWorker(`silent ${n}`, { storeId: 'mute' }));
  for (const worker of silent) {
    worker.behave(new GaterError('unavailable', 'the disk is gone'));
    registry.register(worker);
  }
  for (const id of ['a', 'b']) registry.register(fakeWorker(id));
  const health = await probeStores(registry);
  expect(health.stores).toEqual({
    mute: { status: 'unhealthy', workers: [] },
    default: {
      status: 'healthy',
      workers: [
        { workerId: 'a', nodeId: 'node-a' },
        { workerId: 'b', nodeId: 'node-a' },
      ],
    },
  });
  // The operator has to know that there are workers, and how many.
  expect(health.reasons).toMatchObject([{ component: 'store:mute', code: 'no_workers' }]);
  expect(health.reasons[0]?.message).toContain('2');
  registry.close();
});

const countAnswering = (registry: Registry, timeoutMs?: number): Promise<unknown> =>
  countLiveWorkers(registry, 'default', timeoutMs).catch(() => undefined);

test('waits two seconds for a silent worker unless another time is given', async () => {
  const clock = createFakeClock();
  const registry = createRegistry({ clock }, { maxFailures: 100 });
  const worker = fakeWorker('a');
  worker.behave('hangs');
  registry.register(worker);
  for (const [timeoutMs, expectedMs] of [
    [undefined, 2_000],
    [50, 50],
  ] as const) {
    for (const probe of [probeStores, countAnswering]) {
      const start = clock.monotonic();
      const probed = probe(registry, timeoutMs).then(() => clock.monotonic() - start);
      await clock.pass(expectedMs);
      expect(await probed).toBe(expectedMs);
    }
  }
  registry.close();
});

test('the workers of a store are counted only if one answers', async () => {
  const registry = createRegistry();
  await expect(countLiveWorkers(registry, 'default')).rejects.toMatchObject({ code: 'store_not_found' });
  registry.declare('default');
  await expect(countLiveWorkers(registry, 'default')).rejects.toMatchObject({ code: 'no_workers' });
  const worker = fakeWorker('a');
  worker.behave(new GaterError('unavailable', 'the disk is gone'));
  registry.register(worker);
  await expect(countLiveWorkers(registry, 'default')).rejects.toMatchObject({ code: 'no_workers' });
  registry.close();
});
