import type { HealthStatus } from '@esdb-gater/protocol';
import { GaterError } from '@esdb-gater/types';
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
