/**
 * The capability action of each method; `undefined` for methods that need none. The description of a method says
 * whether it needs the action on the whole store or on one stream.
 */
export const ACTIONS = {
  appendEvents: 'stream/append',
  appendToStreams: 'stream/append',
  getEvents: 'stream/read',
  streamForward: 'stream/read',
  streamBackward: 'stream/read',
  getVersion: 'stream/read',
  streamExists: 'stream/read',
  getStreams: 'stream/read',
  versionAt: 'stream/read',
  verifyStream: 'stream/read',
  readAll: 'stream/read',
  queryEvents: 'stream/read',
  followEvents: 'stream/read',
  unfollow: undefined,
  deleteStream: 'stream/delete',
  saveSubscription: 'subscription/create',
  leaveSubscription: 'subscription/create',
  ackEvent: 'subscription/create',
  nackEvent: 'subscription/create',
  listParked: 'subscription/create',
  replayParked: 'subscription/create',
  resetSubscription: 'subscription/create',
  removeSubscription: 'subscription/delete',
  getSubscriptions: 'subscription/list',
  recordSnapshot: 'snapshot/write',
  readSnapshot: 'snapshot/read',
  listSnapshots: 'snapshot/read',
  deleteSnapshot: 'snapshot/delete',
  publish: 'channel/publish',
  subscribe: 'channel/subscribe',
  unsubscribe: undefined,
  channelInfo: undefined,
  registerWorker: 'worker/register',
  unregisterWorker: 'worker/register',
  authenticate: undefined,
  revokeToken: undefined,
  health: undefined,
  clusterInfo: undefined,
  quickHealthCheck: undefined,
  execute: undefined,
} as const;

/** An action that a method needs. */
export type Action = Exclude<(typeof ACTIONS)[keyof typeof ACTIONS], undefined>;
