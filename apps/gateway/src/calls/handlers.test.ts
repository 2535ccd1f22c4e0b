import { STORE_METHODS } from '@esdb-gater/event-store';
import { isWorkerMethod, METHOD_NAMES } from '@esdb-gater/protocol';
import { REQUIRED_METHODS } from '@esdb-gater/registry';
import { expect, test } from 'vitest';
import { createHandlers, type HandlerComponents } from './handlers.ts';

const CONNECTION_METHODS = [
  ...['authenticate', 'subscribe', 'unsubscribe', 'registerWorker', 'unregisterWorker'],
  ...['saveSubscription', 'leaveSubscription', 'ackEvent', 'nackEvent', 'followEvents', 'unfollow'],
];

test('every method has a handler, unless it is served by connections', () => {
  const handlers = createHandlers({} as HandlerComponents);
  expect([...Object.keys(handlers), ...CONNECTION_METHODS].sort()).toEqual([...METHOD_NAMES].sort());
  expect(Object.values(handlers).every((handler) => typeof handler === 'function')).toBe(true);
});

test('the stores of this project serve what every worker must, and nothing that no worker is asked for', () => {
  expect(REQUIRED_METHODS.filter((method) => !STORE_METHODS.includes(method))).toEqual([]);
  expect(STORE_METHODS.filter((method) => !isWorkerMethod(method))).toEqual([]);
  expect([...STORE_METHODS].sort()).toEqual(
    (
      'appendEvents appendToStreams deleteSnapshot deleteStream getEvents getStreams getVersion listSnapshots queryEvents ' +
      'quickHealthCheck readAll readSnapshot recordSnapshot streamExists verifyStream versionAt'
    ).split(' '),
  );
});
