/**
 * Methods whose repetition changes nothing: reads, appends and publishes by their ids, snapshots,
 * subscriptions, acknowledgements. Apart from the table of methods, so that a program that only calls does
 * not carry the schemas.
 */
const IDEMPOTENT: ReadonlySet<string> = new Set([
  'authenticate',
  'appendEvents',
  'appendToStreams',
  'getEvents',
  'streamForward',
  'streamBackward',
  'getVersion',
  'streamExists',
  'getStreams',
  'versionAt',
  'verifyStream',
  'readAll',
  'queryEvents',
  'recordSnapshot',
  'readSnapshot',
  'listSnapshots',
  'deleteSnapshot',
  'saveSubscription',
  'leaveSubscription',
  'removeSubscription',
  'ackEvent',
  'nackEvent',
  'getSubscriptions',
  'listParked',
  'publish',
  'subscribe',
  'unsubscribe',
  'channelInfo',
  'health',
  'quickHealthCheck',
  'registerWorker',
  'unregisterWorker',
]);

/** True when a call may be made again after it was left unanswered, or ended with `timeout`. */
export function isIdempotent(method: string): boolean {
  return IDEMPOTENT.has(method);
}
