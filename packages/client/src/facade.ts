import type { CallOptions, PlainMethod, PlainMethods } from './gater.ts';

/** Calls a method of the protocol. */
export type CallMethod = (method: string, params: unknown, options?: CallOptions) => Promise<unknown>;

/** The methods whose call is all there is to them. Written out, so that a caller does not carry the schemas. */
const PLAIN_METHODS: readonly PlainMethod[] = [
  'authenticate',
  'getVersion',
  'streamExists',
  'getStreams',
  'deleteStream',
  'followEvents',
  'unfollow',
  'versionAt',
  'verifyStream',
  'recordSnapshot',
  'readSnapshot',
  'listSnapshots',
  'deleteSnapshot',
  'leaveSubscription',
  'removeSubscription',
  'ackEvent',
  'nackEvent',
  'getSubscriptions',
  'listParked',
  'replayParked',
  'resetSubscription',
  'publish',
  'unsubscribe',
  'channelInfo',
  'health',
  'quickHealthCheck',
  'registerWorker',
  'unregisterWorker',
  'revokeToken',
];

/** The methods that carry events, in the same form. */
const EVENT_METHODS = [
  'appendEvents',
  'appendToStreams',
  'getEvents',
  'streamForward',
  'streamBackward',
  'readAll',
  'queryEvents',
] as const;

type EventMethods = {
  readonly [M in (typeof EVENT_METHODS)[number]]: (params: never, options?: CallOptions) => Promise<never>;
};

/** Every method that is a plain call, as a method of an object. */
export function createFacade(call: CallMethod): PlainMethods & EventMethods {
  const entries = [...PLAIN_METHODS, ...EVENT_METHODS].map(
    (method) =>
      [method, (params: unknown = {}, options?: CallOptions) => call(method, params, options)] as const,
  );
  return Object.fromEntries(entries) as unknown as PlainMethods & EventMethods;
}
