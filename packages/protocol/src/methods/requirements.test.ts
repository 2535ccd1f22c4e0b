import { expect, test } from 'vitest';
import { METHOD_NAMES, type MethodName } from './method-table.ts';
import type { ParamsOf } from './method-types.ts';
import { requirementsOf } from './requirements.ts';

/** Parameters with the members of every target, so that each method finds its own. */
const params = {
  storeId: 's',
  streamId: 'a',
  streamUuid: 'u',
  name: 'n',
  channel: 'events',
  topic: 't.*',
  appends: [
    { streamId: 'a', events: [] },
    { streamId: 'b', events: [] },
  ],
  type: 'stream',
  selector: 'a',
} as unknown as ParamsOf<MethodName>;

const stream = { kind: 'stream', storeId: 's', streamId: 'a' };
const store = { kind: 'store', storeId: 's' };
const snapshot = { kind: 'snapshot', storeId: 's', streamUuid: 'u' };
const subscription = { kind: 'subscription', storeId: 's', name: 'n' };
const channel = { kind: 'channel', channel: 'events', topic: 't.*' };
const worker = { kind: 'worker', storeId: 's' };
const create = [{ action: 'subscription/create', target: subscription }];
const readStream = [{ action: 'stream/read', target: stream }];

test('every method needs the permissions of the contract', () => {
  const needed = Object.fromEntries(
    METHOD_NAMES.map((method) => [method, requirementsOf(method, params)] as const),
  );
  expect(needed).toEqual({
    appendEvents: [{ action: 'stream/append', target: stream }],
    appendToStreams: [
      { action: 'stream/append', target: stream },
      { action: 'stream/append', target: { ...stream, streamId: 'b' } },
    ],
    getEvents: readStream,
    streamForward: readStream,
    streamBackward: readStream,
    getVersion: readStream,
    streamExists: readStream,
    getStreams: [{ action: 'stream/read', target: store, filtered: true }],
    deleteStream: [{ action: 'stream/delete', target: stream }],
    followEvents: readStream,
    unfollow: [],
    versionAt: readStream,
    verifyStream: readStream,
    readAll: [{ action: 'stream/read', target: store }],
    queryEvents: [{ action: 'stream/read', target: store }],
    recordSnapshot: [{ action: 'snapshot/write', target: snapshot }],
    readSnapshot: [{ action: 'snapshot/read', target: snapshot }],
    listSnapshots: [{ action: 'snapshot/read', target: snapshot }],
    deleteSnapshot: [{ action: 'snapshot/delete', target: snapshot }],
    saveSubscription: [...create, ...readStream],
    leaveSubscription: create,
    removeSubscription: [{ action: 'subscription/delete', target: subscription }],
    ackEvent: create,
    nackEvent: create,
    getSubscriptions: [
      { action: 'subscription/list', target: { kind: 'subscriptions', storeId: 's' }, filtered: true },
    ],
    listParked: create,
    replayParked: create,
    resetSubscription: create,
    publish: [{ action: 'channel/publish', target: channel }],
    subscribe: [{ action: 'channel/subscribe', target: channel }],
    unsubscribe: [],
    channelInfo: [],
    authenticate: [],
    health: [],
    clusterInfo: [],
    quickHealthCheck: [],
    registerWorker: [{ action: 'worker/register', target: worker }],
    unregisterWorker: [{ action: 'worker/register', target: worker }],
    revokeToken: [],
  });
});

test('a condition needs the right to read the whole store besides that to append', () => {
  const append = { storeId: 's', streamId: 'a-1', events: [{ type: 't', data: null }] };
  const condition = { failIfEventsMatch: { items: [{ types: ['t'] }] } };
  expect(requirementsOf('appendEvents', { ...append, condition })).toEqual([
    { action: 'stream/append', target: { kind: 'stream', storeId: 's', streamId: 'a-1' } },
    { action: 'stream/read', target: store },
  ]);
  expect(requirementsOf('appendEvents', append)).toHaveLength(1);
  const appends = [{ streamId: 'a', events: append.events }];
  expect(requirementsOf('appendToStreams', { storeId: 's', appends, condition })[1]).toEqual({
    action: 'stream/read',
    target: store,
  });
});

test('a subscription to one stream needs to read that one, to anything else the whole store', () => {
  const save = { storeId: 's', name: 'n', type: 'stream', selector: 'a' } as const;
  const wide = { action: 'stream/read', target: store };
  expect(requirementsOf('saveSubscription', save)[1]).toEqual({ action: 'stream/read', target: stream });
  expect(requirementsOf('saveSubscription', { ...save, selector: '$all' })[1]).toEqual(wide);
  expect(requirementsOf('saveSubscription', { ...save, type: 'event_type' })[1]).toEqual(wide);
});

test('following a stream needs to read that one, anything else the whole store', () => {
  expect(requirementsOf('followEvents', { storeId: 's' })).toEqual([
    { action: 'stream/read', target: store },
  ]);
});
