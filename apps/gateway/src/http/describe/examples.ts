import type { MethodName, ParamsOf, ResultOf } from '@esdb-gater/protocol';

const store = { storeId: 'default' } as const;
const stream = { ...store, streamId: 'order-1' } as const;
const aggregate = { ...store, sourceUuid: 'orders', streamUuid: 'order-1' } as const;
const named = { ...store, name: 'billing' } as const;
const topic = { channel: 'events', topic: 'default.order-1.OrderPlaced' } as const;
const did = 'did:key:z6MkpTHR8VNsBxYAAWHut2Geadd9jSwuBV8xRoAnwWsdvktH';
const query = { items: [{ types: ['OrderPlaced'], tags: ['customer:7'] }] } as const;
const messageId = '018f5e2c-0000-7000-8000-000000000002';
const nodeId = 'node-1';
const workerId = 'worker-1';

const event = {
  id: '018f5e2c-0000-7000-8000-000000000001',
  type: 'OrderPlaced',
  storeId: 'default',
  streamId: 'order-1',
  version: 0,
  position: 1,
  data: { total: 42 },
  metadata: { correlationId: 'c-1' },
  tags: ['customer:7'],
  timestamp: '2026-01-31T12:00:00.000Z',
  epochUs: 1_769_860_800_000_000,
} as const;

const snapshot = {
  sourceUuid: 'orders',
  streamUuid: 'order-1',
  version: 0,
  record: { total: 42 },
  metadata: {},
  timestamp: '2026-01-31T12:00:00.000Z',
} as const;

const subscription = {
  ...named,
  type: 'event_type',
  selector: 'OrderPlaced',
  startFrom: 0,
  checkpoint: 1,
  lag: 0,
  parked: 0,
  createdAt: '2026-01-31T12:00:00.000Z',
  subscribers: 1,
} as const;

const newEvent = { type: 'OrderPlaced', data: { total: 42 }, tags: ['customer:7'] } as const;
const page = { events: [event], version: 0 } as const;
const storePage = { events: [event], lastPosition: 1 } as const;

/** An example of each method's parameters and result, for the descriptions. A test checks them by the schemas. */
export const METHOD_EXAMPLES: {
  readonly [M in MethodName]: {
    readonly params: ParamsOf<M> & Readonly<Record<string, unknown>>;
    readonly result: ResultOf<M>;
  };
} = {
  appendEvents: {
    params: { ...stream, expectedVersion: -2, events: [newEvent] },
    result: { version: 0, position: 1, count: 1, duplicate: false },
  },
  appendToStreams: {
    params: { ...store, appends: [{ streamId: 'order-1', events: [newEvent] }] },
    result: { results: [{ version: 0, position: 1, count: 1, duplicate: false }] },
  },
  getEvents: { params: { ...stream, startVersion: 0, count: 100, direction: 'forward' }, result: page },
  streamForward: { params: { ...stream, startVersion: 0 }, result: page },
  streamBackward: { params: { ...stream, startVersion: -1 }, result: page },
  getVersion: { params: stream, result: { version: 0 } },
  streamExists: { params: stream, result: { exists: true } },
  getStreams: { params: { ...store, prefix: 'order-', limit: 100 }, result: { streams: ['order-1'] } },
  deleteStream: { params: stream, result: { version: 0 } },
  followEvents: { params: { ...stream, after: 0 }, result: { followId: 'f1' } },
  unfollow: { params: { followId: 'f1' }, result: { removed: true } },
  versionAt: { params: { ...stream, time: '2026-01-31T12:00:00Z' }, result: { version: 0 } },
  verifyStream: { params: stream, result: { verified: true } },
  readAll: { params: { ...store, after: 0, limit: 100 }, result: storePage },
  queryEvents: { params: { ...store, query }, result: storePage },
  recordSnapshot: { params: { ...aggregate, version: 0, record: { total: 42 } }, result: {} },
  readSnapshot: { params: { ...aggregate, version: 0 }, result: snapshot },
  listSnapshots: { params: { ...aggregate, count: 100 }, result: { snapshots: [snapshot] } },
  deleteSnapshot: { params: { ...aggregate, version: 0 }, result: { deleted: true } },
  saveSubscription: {
    params: { ...named, type: 'event_type', selector: 'OrderPlaced' },
    result: { subscription },
  },
  leaveSubscription: { params: named, result: { left: true } },
  removeSubscription: { params: named, result: { removed: true } },
  ackEvent: { params: { ...named, streamId: 'order-1', eventNumber: 0 }, result: { checkpoint: 1 } },
  nackEvent: {
    params: { ...named, streamId: 'order-1', eventNumber: 0, action: 'park', reason: 'no such customer' },
    result: { checkpoint: 1 },
  },
  getSubscriptions: { params: store, result: { subscriptions: [subscription] } },
  listParked: {
    params: named,
    result: { events: [{ event, reason: 'no such customer', attempts: 1, parkedAt: event.timestamp }] },
  },
  replayParked: { params: named, result: { count: 1 } },
  resetSubscription: { params: { ...named, startFrom: 0 }, result: {} },
  publish: {
    params: { ...topic, message: { total: 42 } },
    result: { id: messageId, position: 'bTE6MQ', delivered: true },
  },
  subscribe: { params: { ...topic, from: 'latest' }, result: { position: 'bTE6MQ' } },
  unsubscribe: { params: topic, result: { removed: true } },
  channelInfo: {
    params: {},
    result: {
      channels: [
        {
          name: 'events',
          priority: 'critical',
          requireSignature: false,
          history: 1_000,
          enabled: true,
          subscribers: 1,
          publishedPerSecond: 1,
          deliveredPerSecond: 1,
          dropped: 0,
        },
      ],
    },
  },
  authenticate: {
    params: { token: 'eyJhbGciOiJFZERTQSJ9.e30.c2ln' },
    result: {
      audience: did,
      expiresAt: 1_769_864_400,
      att: [{ with: 'esdb://default/stream/default/*', can: 'stream/read' }],
    },
  },
  health: {
    params: {},
    result: {
      status: 'healthy',
      reasons: [],
      stores: { default: { status: 'healthy', workers: [{ workerId, nodeId }] } },
      nodes: [{ nodeId, url: 'ws://127.0.0.1:4590/v1/ws', status: 'healthy' }],
    },
  },
  clusterInfo: {
    params: {},
    result: {
      nodes: [
        {
          nodeId,
          url: 'ws://127.0.0.1:4590/v1/ws',
          status: 'alive',
          incarnation: 1_769_860_800_000,
          self: true,
          workers: 1,
        },
      ],
      workers: [
        {
          ...store,
          workerId,
          nodeId,
          incarnation: 1_769_860_800_000,
          registeredAt: '2026-01-31T12:00:00.000Z',
          methods: ['appendEvents', 'getEvents', 'readAll'],
          status: 'live',
          failures: 0,
        },
      ],
      stores: [{ ...store, circuit: 'closed', retriesLeft: 10 }],
    },
  },
  quickHealthCheck: { params: store, result: { workers: 1 } },
  registerWorker: { params: { ...store, workerId }, result: { workerId, nodeId } },
  unregisterWorker: { params: { ...store, workerId }, result: { removed: true } },
  revokeToken: {
    params: { iss: did, by: did, at: 1_769_860_800, proof: 'A'.repeat(86) },
    result: { id: 'r1' },
  },
};
