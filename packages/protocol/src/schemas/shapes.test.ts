import { CHANNEL_NAMES, type ChannelName } from '@esdb-gater/types';
import type { TSchema } from 'typebox';
import { describe, expect, test } from 'vitest';
import { METHOD_NAMES, type MethodName } from '../methods/method-table.ts';
import { METHOD_SCHEMAS } from './method-schemas.ts';
import { NOTIFICATIONS } from './notifications.ts';
import { compileCheck, validateParams, validateResult } from './validate.ts';

const ID = '018f3c1e-3b7a-7000-8000-0123456789ab';
const stream = { storeId: 's', streamId: 'a' };
const named = { storeId: 's', name: 'n' };
const ids = { storeId: 's', sourceUuid: 'a', streamUuid: 'b' };
const query = { items: [{ types: ['t'], tags: ['a'] }] };
const condition = { failIfEventsMatch: query, after: 1 };
const events = [{ type: 't', data: 1, id: ID, metadata: {}, tags: ['a'] }];
const recorded = {
  ...{ id: ID, type: 't', storeId: 's', streamId: 'a', version: 0, position: 1, data: 1 },
  ...{ metadata: {}, tags: ['a'], timestamp: '2026-01-31T12:00:00.000Z', epochUs: 1 },
};
const snapshot = {
  ...{ sourceUuid: 'a', streamUuid: 'b', version: 0, record: 1, metadata: {} },
  timestamp: '2026-01-31T12:00:00.000Z',
};
const subscription = {
  ...{ storeId: 's', name: 'n', type: 'stream', selector: 'a', startFrom: 0, checkpoint: 0, lag: 0 },
  ...{ parked: 0, createdAt: '2026-01-31T12:00:00.000Z', subscribers: 0 },
};
const channelInfo = {
  ...{ name: 'events', priority: 'high', maxRate: 1, requireSignature: false, history: 1, enabled: true },
  ...{ subscribers: 0, publishedPerSecond: 0.5, deliveredPerSecond: 0.5, dropped: 0 },
};
const streamPage = { events: [recorded], version: -1, next: 0 };
const storePage = { events: [recorded], lastPosition: 0, next: 0 };
const node = { nodeId: 'n', url: 'ws://n', status: 'alive' };

interface Example {
  readonly params: Readonly<Record<string, unknown>>;
  readonly result: Readonly<Record<string, unknown>>;
  /** The members of both that may be absent. */
  readonly optional: readonly string[];
}

const example = (params: object, result: object, ...optional: string[]): Example => ({
  params: params as Example['params'],
  result: result as Example['result'],
  optional,
});

/** Each method with all of its members. */
const EXAMPLES: Readonly<Record<MethodName, Example>> = {
  appendEvents: example(
    { ...stream, expectedVersion: 0, events, condition },
    { version: 0, position: 1, count: 1, duplicate: false },
    ...['expectedVersion', 'condition'],
  ),
  appendToStreams: example(
    { storeId: 's', appends: [{ streamId: 'a', expectedVersion: 0, events }], condition },
    { results: [{ version: -1, position: 1, count: 0, duplicate: false }] },
    ...['condition', 'expectedVersion', 'results[0].position'],
  ),
  getEvents: example(
    { ...stream, startVersion: 0, count: 1, direction: 'forward' },
    streamPage,
    ...['startVersion', 'count', 'direction', 'next'],
  ),
  streamForward: example(
    { ...stream, startVersion: 0, count: 1 },
    streamPage,
    ...['startVersion', 'count', 'next'],
  ),
  streamBackward: example(
    { ...stream, startVersion: -1, count: 1 },
    streamPage,
    ...['startVersion', 'count', 'next'],
  ),
  getVersion: example(stream, { version: -1 }),
  streamExists: example(stream, { exists: true }),
  getStreams: example(
    { storeId: 's', prefix: '', after: '', limit: 1 },
    { streams: ['a'], next: 'a' },
    ...['prefix', 'after', 'limit', 'next'],
  ),
  deleteStream: example({ ...stream, expectedVersion: 0 }, { version: 0 }, 'expectedVersion'),
  followEvents: example(
    { ...stream, after: 1, afterId: ID },
    { followId: 'f' },
    'streamId',
    'after',
    'afterId',
  ),
  unfollow: example({ followId: 'f' }, { removed: true }),
  versionAt: example({ ...stream, time: '2026-01-31T12:00:00Z' }, { version: -1 }),
  verifyStream: example(stream, { verified: true, brokenAt: 0 }, 'brokenAt'),
  readAll: example({ storeId: 's', after: 0, limit: 1, query }, storePage, 'after', 'limit', 'query', 'next'),
  queryEvents: example({ storeId: 's', query, after: 0, limit: 1 }, storePage, 'after', 'limit', 'next'),
  recordSnapshot: example({ ...ids, version: 0, record: 1, metadata: {} }, {}, 'metadata'),
  readSnapshot: example({ ...ids, version: 0 }, snapshot, 'params.version'),
  listSnapshots: example(
    { ...ids, startVersion: -1, count: 1 },
    { snapshots: [snapshot], next: 0 },
    ...['startVersion', 'count', 'next'],
  ),
  deleteSnapshot: example({ ...ids, version: 0 }, { deleted: true }, 'version'),
  saveSubscription: example(
    {
      ...{ ...named, type: 'stream', selector: 'a', startFrom: 0 },
      ...{ maxInFlight: 1, ackTimeoutMs: 1, maxRetries: 0 },
    },
    { subscription },
    ...['startFrom', 'maxInFlight', 'ackTimeoutMs', 'maxRetries'],
  ),
  leaveSubscription: example(named, { left: true }),
  removeSubscription: example(
    { ...named, type: 'stream', selector: 'a' },
    { removed: true },
    ...['type', 'selector'],
  ),
  ackEvent: example({ ...named, streamId: 'a', eventNumber: 0, upTo: true }, { checkpoint: 0 }, 'upTo'),
  nackEvent: example(
    { ...named, streamId: 'a', eventNumber: 0, action: 'skip', delayMs: 0, reason: 'r' },
    { checkpoint: 0 },
    ...['delayMs', 'reason'],
  ),
  getSubscriptions: example({ storeId: 's' }, { subscriptions: [subscription] }),
  listParked: example(
    { ...named, after: 0, limit: 1 },
    { events: [{ event: recorded, reason: 'r', attempts: 0, parkedAt: 'p' }], next: 0 },
    ...['after', 'limit', 'next'],
  ),
  replayParked: example({ ...named, ids: [ID] }, { count: 0 }, 'ids'),
  resetSubscription: example({ ...named, startFrom: 'latest' }, {}),
  publish: example(
    { channel: 'events', topic: 'a', message: 1, id: 'i' },
    { id: 'i', position: 'p', delivered: true },
    ...['params.id', 'position'],
  ),
  subscribe: example(
    { channel: 'events', topic: 'a.>', from: { position: 'p' } },
    { position: 'p', lost: true },
    ...['from', 'lost'],
  ),
  unsubscribe: example({ channel: 'events', topic: 'a' }, { removed: true }),
  channelInfo: example({}, { channels: [channelInfo] }, 'channels[0].maxRate'),
  authenticate: example(
    { token: 't', proof: 'p' },
    { audience: 'a', expiresAt: 0, att: [{ with: '*', can: '*' }] },
    'proof',
  ),
  health: example(
    {},
    {
      status: 'healthy',
      reasons: [{ component: 'c', code: 'c', message: 'm' }],
      stores: { s: { status: 'degraded', workers: [{ workerId: 'w', nodeId: 'n' }] } },
      nodes: [node],
    },
    'stores.s',
  ),
  clusterInfo: example(
    {},
    {
      nodes: [{ ...node, incarnation: 0, self: true, clockOffsetMs: 0.5, workers: 0 }],
      workers: [
        {
          ...{ storeId: 's', workerId: 'w', nodeId: 'n', incarnation: 0, registeredAt: 'r', methods: ['m'] },
          ...{ status: 'live', failures: 0, ejectedForMs: 0 },
        },
      ],
      stores: [{ storeId: 's', circuit: 'closed', retriesLeft: 0 }],
    },
    ...['nodes[0].clockOffsetMs', 'workers[0].ejectedForMs', 'stores[0].retriesLeft'],
  ),
  quickHealthCheck: example({ storeId: 's' }, { workers: 0 }),
  registerWorker: example(
    { storeId: 's', storeUuid: 'u', workerId: 'w', methods: ['m'] },
    { workerId: 'w', nodeId: 'n' },
    ...['storeUuid', 'params.workerId', 'methods'],
  ),
  unregisterWorker: example({ storeId: 's', workerId: 'w' }, { removed: true }, 'workerId'),
  revokeToken: example(
    { cid: 'c', by: 'd', at: 1, reason: 'r', proof: 'p' },
    { id: 'i' },
    ...['cid', 'reason'],
  ),
};

/** The members of events, queries and conditions that may be absent, wherever they stand. */
const OPTIONAL_ANYWHERE = /\.(?:data|id|metadata|tags|types|after|expectedVersion)$/;
/** Members that may hold anything, so that no value is of a wrong type. */
const ANYTHING = /(?:^|\.)(?:data|selector|record|message|at)$/;

/** Every member of a value, with its path and a copy of the value in which it is another. */
function* members(value: unknown, path = ''): Generator<{ path: string; set(other: unknown): unknown }> {
  if (typeof value !== 'object' || value === null) return;
  for (const key of Object.keys(value)) {
    const own = (value as Record<string, unknown>)[key];
    const at = Array.isArray(value) ? `${path}[${key}]` : path === '' ? key : `${path}.${key}`;
    const set = (other: unknown): unknown => {
      if (Array.isArray(value)) return value.with(Number(key), other);
      const { [key]: _, ...rest } = value as Record<string, unknown>;
      return other === undefined ? rest : { ...rest, [key]: other };
    };
    yield { path: at, set };
    for (const inner of members(own, at)) {
      yield { path: inner.path, set: (other) => set(inner.set(other)) };
    }
  }
}

/** The check that a description alone makes, without what several members say together. */
const refuses = (schema: TSchema, value: unknown): boolean => !compileCheck(schema)(value);

describe.each(METHOD_NAMES)('the shape of %s', (method) => {
  const { params, result, optional } = EXAMPLES[method];
  const schemas = METHOD_SCHEMAS[method];

  test('takes an example with all members', () => {
    expect(validateParams(method, params)).toBe(params);
    expect(validateResult(method, result)).toBe(result);
  });

  test('refuses other members in parameters, and leaves room for later ones in results', () => {
    expect(refuses(schemas.params, { ...params, other: 1 })).toBe(true);
    if (Object.keys(result).length > 0) expect(refuses(schemas.result, { ...result, other: 1 })).toBe(false);
  });

  test.each([
    ['params', params, schemas.params],
    ['result', result, schemas.result],
  ] as const)('checks the presence and the type of each member of its %s', (side, value, schema) => {
    for (const { path, set } of members(value)) {
      if (!path.endsWith(']')) {
        const mayBeAbsent =
          optional.includes(path) ||
          optional.includes(`${side}.${path}`) ||
          (side === 'params' ? OPTIONAL_ANYWHERE.test(path) || optional.includes(lastOf(path)) : false) ||
          (side === 'result' && /(?:events\[0\]|event)\.data$/.test(path));
        expect([path, refuses(schema, set(undefined))]).toEqual([path, !mayBeAbsent]);
      }
      if (ANYTHING.test(path)) continue;
      for (const wrong of [null, Symbol.iterator]) {
        expect([path, refuses(schema, set(wrong))]).toEqual([path, true]);
      }
    }
  });
});

function lastOf(path: string): string {
  return path.slice(path.lastIndexOf('.') + 1);
}

const reasonAt = (method: MethodName, change: object): unknown => {
  try {
    validateParams(method, { ...EXAMPLES[method].params, ...change });
  } catch (error) {
    const { reason, details } = error as { reason: string; details: { path: string } };
    return [reason, details.path];
  }
  return 'taken';
};

/** A member, its last good values, its first bad ones, and the reason of the refusal. */
const BOUNDS: readonly [MethodName, string, readonly unknown[], readonly unknown[], string][] = [
  ['getEvents', 'count', [1, 1_000], [0, 1_001, 1.5], 'count'],
  ['streamForward', 'startVersion', [0], [-1], 'start_version'],
  ['streamBackward', 'startVersion', [-1, 0], [-2], 'start_version'],
  ['getStreams', 'limit', [1, 1_000], [0, 1_001], 'limit'],
  ['deleteStream', 'expectedVersion', [-4, -2, -1, 0], [-5, -3], 'expected_version'],
  ['readAll', 'after', [0], [-1], 'position'],
  ['versionAt', 'time', ['2026-01-31T12:00:00+01:00'], ['2026-01-31', ''], 'time'],
  ['followEvents', 'afterId', [ID], ['x'], 'event_id'],
  ['recordSnapshot', 'version', [0], [-1], 'version'],
  ['recordSnapshot', 'sourceUuid', ['a', 'x'.repeat(255)], ['', 'x'.repeat(256)], 'source_uuid'],
  ['recordSnapshot', 'streamUuid', ['a'], ['', '\u0000'], 'stream_uuid'],
  ['saveSubscription', 'name', ['a', 'x'.repeat(255)], ['', 'x'.repeat(256)], 'name'],
  ['saveSubscription', 'startFrom', [0, 'latest'], [-1, 'earliest', null], 'start_from'],
  ['saveSubscription', 'maxInFlight', [1, 10_000], [0, 10_001], 'max_in_flight'],
  ['saveSubscription', 'ackTimeoutMs', [1, 86_400_000], [0, 86_400_001], 'ack_timeout'],
  ['saveSubscription', 'maxRetries', [0, 1_000_000], [-1, 1_000_001], 'max_retries'],
  ['nackEvent', 'action', ['retry', 'park', 'skip'], ['', 'drop'], 'schema'],
  ['nackEvent', 'delayMs', [0, 86_400_000], [-1, 86_400_001], 'delay'],
  ['ackEvent', 'eventNumber', [0], [-1], 'version'],
  ['getEvents', 'direction', ['forward', 'backward'], ['', 'up'], 'direction'],
  ['replayParked', 'ids', [[], Array(1_000).fill(ID)], [Array(1_001).fill(ID)], 'schema'],
  ['publish', 'id', ['a', 'x'.repeat(255)], ['', 'x'.repeat(256)], 'id'],
  ['subscribe', 'from', ['latest', 'earliest', { time: '2026-01-31T12:00:00Z' }], ['', {}, 5], 'from'],
  ['registerWorker', 'storeUuid', ['a'], [''], 'store_uuid'],
  ['registerWorker', 'workerId', ['a'], [''], 'worker_id'],
  ['registerWorker', 'methods', [[], Array(100).fill('m')], [Array(101).fill('m')], 'schema'],
  ['unregisterWorker', 'workerId', ['a'], [''], 'worker_id'],
];

test.each(BOUNDS)(
  '%s takes `%s` up to its bounds, and names the reason beyond them',
  (method, member, good, bad, reason) => {
    for (const value of good)
      expect([value, reasonAt(method, { [member]: value })]).toEqual([value, 'taken']);
    for (const value of bad) {
      expect([value, reasonAt(method, { [member]: value })]).toEqual([value, [reason, member]]);
    }
  },
);

describe('a selector', () => {
  const verdict = (type: string, selector: unknown): unknown =>
    reasonAt('saveSubscription', { type, selector });
  const refused = ['selector', 'selector'];

  test.each([
    ['stream', ['a', '$all'], ['', '..', 1, null, ['a']]],
    ['event_type', ['t', ['t'], ['t', 'u']], ['', [], [''], ['t', ''], 1, null, {}]],
    [
      'event_pattern',
      [{}, { type: 't', streamId: 'a', data: {}, metadata: {}, tags: [] }],
      [{ id: 1 }, { type: 't', id: 1 }, [], 'a', null, 1],
    ],
    ['event_payload', [{}, { a: 1 }], [[], 'a', null, 1]],
    [
      'tags',
      [{ any: ['a'] }, { all: ['a', 'b'] }],
      [
        {},
        { any: [] },
        { all: [''] },
        { any: ['a'], all: ['a'] },
        { some: ['a'] },
        { any: 'a' },
        ['a'],
        null,
      ],
    ],
  ])('of %s has the form of its type', (type, good, bad) => {
    for (const one of good) expect([one, verdict(type, one)]).toEqual([one, 'taken']);
    for (const one of bad) expect([one, verdict(type, one)]).toEqual([one, refused]);
    // It is asked again when the subscription is removed by it.
    for (const one of bad) {
      expect(reasonAt('removeSubscription', { type, selector: one })).toEqual(refused);
      expect(reasonAt('removeSubscription', { type: undefined, selector: one })).toBe('taken');
    }
  });
});

test('a query has 1 to 1 000 items, each with a type or a tag, wherever it stands', () => {
  const wrong = [{ items: [] }, { items: Array(1_001).fill({ types: ['t'] }) }, { items: [{}] }];
  for (const one of wrong) {
    expect(reasonAt('readAll', { query: one })).toMatchObject(['query', expect.stringMatching(/items/)]);
    expect(reasonAt('queryEvents', { query: one })).toMatchObject(['query', expect.stringMatching(/items/)]);
    expect(reasonAt('followEvents', { streamId: undefined, query: one })).toMatchObject([
      'query',
      expect.stringMatching(/items/),
    ]);
    expect(reasonAt('appendEvents', { condition: { failIfEventsMatch: one } })).toMatchObject([
      'query',
      expect.stringMatching(/items/),
    ]);
    expect(reasonAt('appendToStreams', { condition: { failIfEventsMatch: one } })).toMatchObject([
      'query',
      expect.stringMatching(/items/),
    ]);
  }
  expect(reasonAt('readAll', { query: { items: Array(1_000).fill({ types: ['t'] }) } })).toBe('taken');
});

test('appends to several streams have each stream once, 1 to 1 000 appends, and 1 000 events in all', () => {
  const append = (streamId: string, count: number) => ({ streamId, events: Array(count).fill(events[0]) });
  const verdict = (...appends: object[]) => reasonAt('appendToStreams', { appends });
  expect(verdict(append('a', 500), append('b', 500), append('c', 0))).toBe('taken');
  expect(verdict(append('a', 500), append('b', 501))).toEqual(['events', 'appends']);
  expect(verdict(append('a', 1_001))).toEqual(['events', 'appends[0].events']);
  expect(verdict()).toEqual(['appends', 'appends']);
  expect(verdict(...Array.from({ length: 1_001 }, (_, n) => append(`s${n}`, 0)))).toEqual([
    'appends',
    'appends',
  ]);
  expect(verdict(append('a', 1), append('b', 1), append('a', 1))).toEqual(['appends', 'appends[2].streamId']);
  expect(verdict({ streamId: 'a', events: [{ type: 't' }] })).toEqual([
    'schema',
    'appends[0].events[0].data',
  ]);
});

test('a revocation names either a token or an issuer, and a follow either a stream or a query', () => {
  expect(reasonAt('revokeToken', { cid: undefined, iss: 'd' })).toBe('taken');
  expect(reasonAt('revokeToken', { iss: 'd' })).toEqual(['schema', '']);
  expect(reasonAt('revokeToken', { cid: undefined })).toEqual(['schema', '']);
  expect(reasonAt('followEvents', { query })).toEqual(['schema', 'query']);
  expect(reasonAt('followEvents', { streamId: undefined, query })).toBe('taken');
});

const NOTICES: Readonly<Record<keyof typeof NOTIFICATIONS, readonly [object, ...string[]]>> = {
  hello: [
    {
      ...{ gatewayDid: 'd', nodeId: 'n', version: 'v', nonce: 'x', capabilities: 'optional', methods: ['m'] },
      limits: { frameBytes: 1, messageBytes: 1, inFlight: 1, batch: 1 },
    },
    'limits',
  ],
  message: [
    {
      ...{ channel: 'events', topic: 'a', id: 'i', time: 't', position: 'p', message: 1 },
      replayFor: 'a',
    },
    'replayFor',
  ],
  replayed: [{ channel: 'events', topic: 'a', position: 'p' }],
  dropped: [{ channel: 'events', count: 1, position: 'p' }],
  event: [{ storeId: 's', name: 'n', event: recorded, attempt: 1 }, 'event.data'],
  subscriptionEnded: [{ storeId: 's', name: 'n', code: 'c', message: 'm' }],
  followed: [{ followId: 'f', event: recorded }, 'event.data'],
  caughtUp: [{ followId: 'f', position: 0 }],
  fellBehind: [{ followId: 'f', position: 0 }],
  committed: [{ storeId: 's', position: 1 }],
  replaced: [{ storeId: 's', workerId: 'w' }],
};

test.each(Object.entries(NOTICES))(
  'the notification %s has its members, and room for later ones',
  (name, notice) => {
    const [value, ...optional] = notice;
    const schema = NOTIFICATIONS[name as keyof typeof NOTIFICATIONS];
    expect([refuses(schema, value), refuses(schema, { ...value, other: 1 })]).toEqual([false, false]);
    for (const { path, set } of members(value)) {
      if (!path.endsWith(']')) {
        expect([path, refuses(schema, set(undefined))]).toEqual([path, !optional.includes(path)]);
      }
      if (path === 'event.data' || (name === 'message' && path === 'message')) continue;
      expect([path, refuses(schema, set(null))]).toEqual([path, true]);
    }
  },
);

test('counts and positions of notifications begin at 1 where nothing is not told', () => {
  for (const [name, member] of [
    ['dropped', 'count'],
    ['event', 'attempt'],
    ['committed', 'position'],
  ] as const) {
    expect(refuses(NOTIFICATIONS[name], { ...NOTICES[name][0], [member]: 0 })).toBe(true);
  }
});

test('a message comes from one of the ten channels', () => {
  const schema = NOTIFICATIONS.message;
  const of = (channel: ChannelName | 'other') => refuses(schema, { ...NOTICES.message[0], channel });
  expect([CHANNEL_NAMES.some(of), of('other')]).toEqual([false, true]);
});
