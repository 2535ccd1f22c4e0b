import { createFakeClock, type FakeClock } from '@esdb-gater/primitives/testing';
import type { Registry } from '@esdb-gater/types';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { fakeWorker, STREAM, unavailable } from '../tests/fake-worker.ts';
import { describeCluster } from './cluster-info.ts';
import { probeStores } from './health.ts';
import { createRegistry } from './registry.ts';

let clock: FakeClock;
let registry: Registry;
beforeEach(() => {
  clock = createFakeClock();
  registry = createRegistry({ clock });
});
afterEach(() => registry.close());

const circuit = (): string | undefined => describeCluster(registry, { members: [] }).stores[0]?.circuit;

async function fail(times: number): Promise<void> {
  for (let n = 0; n < times; n++) {
    await registry
      .pick('default')
      .call('getVersion', STREAM)
      .catch(() => undefined);
  }
}

test('the circuit of a store that is down opens, is half-open during its one probe, and closes by the answer', async () => {
  const worker = fakeWorker('a');
  registry.register(worker);
  expect(circuit()).toBe('closed');
  worker.behave(unavailable());
  await fail(3);
  // The probe of the last live worker begins at once.
  expect(circuit()).toBe('half-open');
  await clock.pass(0);
  expect(circuit()).toBe('open');
  expect(() => registry.pick('default')).toThrow(expect.objectContaining({ code: 'no_workers' }));

  worker.behave('hangs');
  worker.calls.length = 0;
  await clock.passToNextTimer();
  expect(circuit()).toBe('half-open');
  expect(worker.calls).toEqual(['quickHealthCheck']);
  // Calls do not reach the worker meanwhile.
  expect(() => registry.pick('default')).toThrow(expect.objectContaining({ code: 'no_workers' }));
  expect((await probeStores(registry)).reasons).toEqual([
    {
      component: 'store:default',
      code: 'no_workers',
      message: 'all 1 workers are silent; the circuit is half-open until one answers its probe',
    },
  ]);
  await clock.passToNextTimer();
  expect(circuit()).toBe('open');
  expect(worker.calls).toEqual(['quickHealthCheck']);
  expect((await probeStores(registry)).reasons).toMatchObject([
    { message: 'all 1 workers are silent; the circuit is open until the next probe' },
  ]);

  worker.behave('answers');
  await clock.passToNextTimer();
  expect(circuit()).toBe('closed');
  expect(worker.calls).toEqual(['quickHealthCheck', 'quickHealthCheck']);
  expect(registry.pick('default').workerId).toBe('a');
});

test('the circuit stays closed while one worker of a store is live', async () => {
  const failing = fakeWorker('a');
  failing.behave(unavailable());
  registry.register(failing);
  registry.register(fakeWorker('b'));
  await fail(6);
  expect(registry.isLive('default', 'a')).toBe(false);
  expect(circuit()).toBe('closed');
});

test('the circuit of a store without workers is open', () => {
  registry.declare('default');
  expect(circuit()).toBe('open');
});
