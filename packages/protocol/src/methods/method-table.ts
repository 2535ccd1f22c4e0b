import type { Methods } from './method-types.ts';
import type { Action, TargetKind } from './requirements.ts';

/** Who answers a method: a worker of the store, the ten channels, the gateway, or the connection that asks. */
export type ServedBy = 'store' | 'channels' | 'gateway' | 'connection';

/** Whether a worker is asked for a method: it must serve it, may serve it, or is never asked. */
export type WorkerDuty = 'required' | 'optional' | 'never';

/** The facts about a method, apart from the shapes of its parameters and its result. */
export interface MethodFacts {
  readonly servedBy: ServedBy;
  /** What the workers that are registered for a store have to do with it. */
  readonly worker: WorkerDuty;
  /** The permission that a call needs, on what `target` names; see `requirementsOf`. Absent: none. */
  readonly action?: Action;
  readonly target?: TargetKind;
  /** The call needs `stream/read` as well: for its condition, or for what its selector selects. */
  readonly alsoReads?: 'condition' | 'selector';
  /** The answer is a list that holds only what the grants cover. A caller whose grants cover nothing of it is refused. */
  readonly filtered?: true;
  /**
   * Overrides the capability mode. `never`: the call proves itself and needs no token. `beyond-loopback`: a caller on
   * another machine needs a token even where tokens are optional.
   */
  readonly token?: 'never' | 'beyond-loopback';
  /** A call may be repeated after it was left unanswered, or ended with `timeout`. */
  readonly idempotent?: true;
  /** An answer may be a page of 8 MiB. */
  readonly paged?: true;
  /** Parameters or results carry events, which the client types by the events of the program. */
  readonly carriesEvents?: true;
  /** The client returns an async iterable instead of the plain result. */
  readonly iterated?: true;
}

/**
 * The one table of methods: every fact about a method stands in its row, and all code that depends on such a fact
 * reads it here. The schemas stand beside it, in `METHOD_SCHEMAS`, so that a program that only calls does not load
 * them.
 */
// biome-ignore format: a row is a line
export const METHODS = {
  // Streams
  appendEvents: { servedBy: 'store', worker: 'required', action: 'stream/append', target: 'stream', alsoReads: 'condition', idempotent: true, carriesEvents: true },
  appendToStreams: { servedBy: 'store', worker: 'optional', action: 'stream/append', target: 'streams', alsoReads: 'condition', idempotent: true, carriesEvents: true },
  getEvents: { servedBy: 'store', worker: 'required', action: 'stream/read', target: 'stream', idempotent: true, paged: true, carriesEvents: true },
  streamForward: { servedBy: 'store', worker: 'never', action: 'stream/read', target: 'stream', idempotent: true, paged: true, carriesEvents: true },
  streamBackward: { servedBy: 'store', worker: 'never', action: 'stream/read', target: 'stream', idempotent: true, paged: true, carriesEvents: true },
  getVersion: { servedBy: 'store', worker: 'required', action: 'stream/read', target: 'stream', idempotent: true },
  streamExists: { servedBy: 'store', worker: 'required', action: 'stream/read', target: 'stream', idempotent: true },
  getStreams: { servedBy: 'store', worker: 'required', action: 'stream/read', target: 'store', filtered: true, idempotent: true },
  deleteStream: { servedBy: 'store', worker: 'optional', action: 'stream/delete', target: 'stream' },
  followEvents: { servedBy: 'connection', worker: 'never', action: 'stream/read', target: 'stream-or-store' },
  unfollow: { servedBy: 'connection', worker: 'never' },
  versionAt: { servedBy: 'store', worker: 'optional', action: 'stream/read', target: 'stream', idempotent: true },
  verifyStream: { servedBy: 'store', worker: 'optional', action: 'stream/read', target: 'stream', idempotent: true },
  readAll: { servedBy: 'store', worker: 'required', action: 'stream/read', target: 'store', idempotent: true, paged: true, carriesEvents: true },
  queryEvents: { servedBy: 'store', worker: 'optional', action: 'stream/read', target: 'store', idempotent: true, paged: true, carriesEvents: true },
  // Snapshots
  recordSnapshot: { servedBy: 'store', worker: 'optional', action: 'snapshot/write', target: 'snapshot', idempotent: true },
  readSnapshot: { servedBy: 'store', worker: 'optional', action: 'snapshot/read', target: 'snapshot', idempotent: true },
  listSnapshots: { servedBy: 'store', worker: 'optional', action: 'snapshot/read', target: 'snapshot', idempotent: true, paged: true },
  deleteSnapshot: { servedBy: 'store', worker: 'optional', action: 'snapshot/delete', target: 'snapshot', idempotent: true },
  // Persistent subscriptions
  saveSubscription: { servedBy: 'connection', worker: 'never', action: 'subscription/create', target: 'subscription', alsoReads: 'selector', idempotent: true, iterated: true },
  leaveSubscription: { servedBy: 'connection', worker: 'never', action: 'subscription/create', target: 'subscription', idempotent: true },
  removeSubscription: { servedBy: 'gateway', worker: 'never', action: 'subscription/delete', target: 'subscription', idempotent: true },
  ackEvent: { servedBy: 'connection', worker: 'never', action: 'subscription/create', target: 'subscription', idempotent: true },
  nackEvent: { servedBy: 'connection', worker: 'never', action: 'subscription/create', target: 'subscription', idempotent: true },
  getSubscriptions: { servedBy: 'gateway', worker: 'never', action: 'subscription/list', target: 'subscriptions', filtered: true, idempotent: true },
  listParked: { servedBy: 'gateway', worker: 'never', action: 'subscription/create', target: 'subscription', idempotent: true },
  replayParked: { servedBy: 'gateway', worker: 'never', action: 'subscription/create', target: 'subscription' },
  resetSubscription: { servedBy: 'gateway', worker: 'never', action: 'subscription/create', target: 'subscription' },
  // Channels
  publish: { servedBy: 'channels', worker: 'never', action: 'channel/publish', target: 'channel', idempotent: true },
  subscribe: { servedBy: 'connection', worker: 'never', action: 'channel/subscribe', target: 'channel', idempotent: true, iterated: true },
  unsubscribe: { servedBy: 'connection', worker: 'never', idempotent: true },
  channelInfo: { servedBy: 'channels', worker: 'never', idempotent: true },
  // The gateway and its workers
  authenticate: { servedBy: 'connection', worker: 'never', token: 'never', idempotent: true },
  health: { servedBy: 'gateway', worker: 'never', idempotent: true },
  clusterInfo: { servedBy: 'gateway', worker: 'never', idempotent: true },
  quickHealthCheck: { servedBy: 'gateway', worker: 'required', idempotent: true },
  registerWorker: { servedBy: 'connection', worker: 'never', action: 'worker/register', target: 'worker', token: 'beyond-loopback', idempotent: true },
  unregisterWorker: { servedBy: 'connection', worker: 'never', action: 'worker/register', target: 'worker', idempotent: true },
  revokeToken: { servedBy: 'gateway', worker: 'never', token: 'never' },
} as const;

/** A method of the protocol, whether this version of the gateway serves it or not. */
export type MethodName = keyof typeof METHODS;

/** The methods in whose rows these facts stand. */
export type MethodsWith<Facts extends Partial<MethodFacts>> = {
  [M in MethodName]: (typeof METHODS)[M] extends Facts ? M : never;
}[MethodName];

/** The same rows by any of their members. It has exactly the methods of `Methods`, or this does not compile. */
const ROWS: Readonly<Record<keyof Methods, MethodFacts>> = METHODS;

// A Map, because names come out of messages: an object would have to intern each of them as a property name first.
const BY_NAME: ReadonlyMap<unknown, MethodFacts> = new Map(Object.entries(ROWS));

/** Every method, in the order of the table. */
export const METHOD_NAMES: readonly MethodName[] = Object.keys(METHODS).filter(isMethodName);

export function isMethodName(value: unknown): value is MethodName {
  return BY_NAME.has(value);
}

/** The row of a method; undefined for a name that is not in the table. */
export function factsOf(method: MethodName): MethodFacts;
export function factsOf(method: unknown): MethodFacts | undefined;
export function factsOf(method: unknown): MethodFacts | undefined {
  return BY_NAME.get(method);
}

/** True for a method whose row says that `by` serves it. */
export function isServedBy<By extends ServedBy>(
  method: MethodName,
  by: By,
): method is MethodsWith<{ readonly servedBy: By }> {
  return factsOf(method).servedBy === by;
}

/** True for a method that a worker of a store can be asked for. */
export function isWorkerMethod(
  value: unknown,
): value is MethodsWith<{ readonly worker: 'required' | 'optional' }> {
  const worker = factsOf(value)?.worker;
  return worker !== undefined && worker !== 'never';
}

/** True when a call may be made again after it was left unanswered, or ended with `timeout`. */
export function isIdempotent(method: string): boolean {
  return factsOf(method)?.idempotent === true;
}
