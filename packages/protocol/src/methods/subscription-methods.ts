import {
  invalidArgument,
  isName,
  isStreamId,
  type JsonValue,
  type RecordedEvent,
  type Subscription,
  type SubscriptionType,
} from '@esdb-gater/types';
import {
  empty,
  pageSize,
  position,
  recordedEvent,
  storeId,
  streamId,
  subscriptionName,
  uuid,
  version,
} from '../schemas/leaf-schemas.ts';
import {
  anyOf,
  anyText,
  array,
  boolean,
  integer,
  json,
  object,
  oneOf,
  optional,
  type Schema,
} from '../schemas/schema-kit.ts';
import type { Action, Requirement } from './actions.ts';
import { storeNeeds, streamNeeds } from './actions.ts';
import type { MethodSpec } from './method-spec.ts';

export interface SaveSubscriptionParams {
  readonly storeId: string;
  readonly name: string;
  readonly type: SubscriptionType;
  readonly selector: JsonValue;
  /** An exclusive position, 0 for all, or `latest`. @default 0 */
  readonly startFrom?: number | 'latest';
  /** Events that one consumer may have unacknowledged. @default 100 */
  readonly maxInFlight?: number;
  /** After this an unacknowledged event comes again. @default 30 000 */
  readonly ackTimeoutMs?: number;
  /** After this many an event is parked. @default 10 */
  readonly maxRetries?: number;
}

export interface NamedSubscription {
  readonly storeId: string;
  readonly name: string;
}

export interface RemoveSubscriptionParams extends NamedSubscription {
  readonly type?: SubscriptionType;
  readonly selector?: JsonValue;
}

export interface AckEventParams extends NamedSubscription {
  readonly streamId: string;
  /** The event's version. */
  readonly eventNumber: number;
  /** Acknowledges all of the stream up to it. @default false */
  readonly upTo?: boolean;
}

export type NackAction = 'retry' | 'park' | 'skip';

export interface NackEventParams extends NamedSubscription {
  readonly streamId: string;
  /** The event's version. */
  readonly eventNumber: number;
  readonly action: NackAction;
  readonly delayMs?: number;
  readonly reason?: string;
}

export interface ListParkedParams extends NamedSubscription {
  readonly after?: number;
  /** 1 to 1 000. @default 100 */
  readonly limit?: number;
}

export interface ParkedEvent {
  readonly event: RecordedEvent;
  readonly reason: string;
  readonly attempts: number;
  /** ISO 8601. */
  readonly parkedAt: string;
}

export interface ReplayParkedParams extends NamedSubscription {
  /** Of events. @default all */
  readonly ids?: readonly string[];
}

export interface ResetSubscriptionParams extends NamedSubscription {
  readonly startFrom: number | 'latest';
}

const type: Schema<SubscriptionType> = oneOf([
  'stream',
  'event_type',
  'event_pattern',
  'event_payload',
  'tags',
]);

const startFrom: Schema<number | 'latest'> = anyOf<number | 'latest'>([position, oneOf(['latest'])], {
  description: 'a position from 0, or "latest"',
  reason: 'start_from',
});

const selector: Schema<JsonValue> = json();

const subscription: Schema<Subscription> = object<Subscription>(
  {
    storeId: anyText(),
    name: anyText(),
    type,
    selector: json(),
    startFrom,
    checkpoint: integer(0),
    lag: integer(0),
    parked: integer(0),
    createdAt: anyText('ISO 8601'),
    subscribers: integer(0),
  },
  { open: true },
);

const parkedEvent: Schema<ParkedEvent> = object<ParkedEvent>(
  { event: recordedEvent, reason: anyText(), attempts: integer(0), parkedAt: anyText('ISO 8601') },
  { open: true },
);

const named = { storeId, name: subscriptionName } as const;
const checkpoint: Schema<{ readonly checkpoint: number }> = object<{ readonly checkpoint: number }>(
  { checkpoint: integer(0) },
  { open: true },
);

const needs =
  (action: Action & `subscription/${string}`) =>
  (params: NamedSubscription): readonly Requirement[] => [
    { action, target: { kind: 'subscription', storeId: params.storeId, name: params.name } },
  ];

/** Persistent subscriptions. */
export const SUBSCRIPTION_METHODS: {
  readonly saveSubscription: MethodSpec<SaveSubscriptionParams, { readonly subscription: Subscription }>;
  readonly leaveSubscription: MethodSpec<NamedSubscription, { readonly left: boolean }>;
  readonly removeSubscription: MethodSpec<RemoveSubscriptionParams, { readonly removed: boolean }>;
  readonly ackEvent: MethodSpec<AckEventParams, { readonly checkpoint: number }>;
  readonly nackEvent: MethodSpec<NackEventParams, { readonly checkpoint: number }>;
  readonly getSubscriptions: MethodSpec<
    { readonly storeId: string },
    { readonly subscriptions: readonly Subscription[] }
  >;
  readonly listParked: MethodSpec<
    ListParkedParams,
    { readonly events: readonly ParkedEvent[]; readonly next?: number }
  >;
  readonly replayParked: MethodSpec<ReplayParkedParams, { readonly count: number }>;
  readonly resetSubscription: MethodSpec<ResetSubscriptionParams, Record<string, never>>;
} = {
  saveSubscription: {
    summary: 'Makes, or joins, a persistent subscription; its events come to this connection.',
    servedBy: 'connection',
    worker: 'never',
    params: object<SaveSubscriptionParams>({
      ...named,
      type,
      selector,
      startFrom: optional(startFrom),
      maxInFlight: optional(integer(1, { maximum: 10_000, reason: 'max_in_flight' })),
      ackTimeoutMs: optional(integer(1, { maximum: 86_400_000, reason: 'ack_timeout' })),
      maxRetries: optional(integer(0, { maximum: 1_000_000, reason: 'max_retries' })),
    }),
    result: object<{ readonly subscription: Subscription }>({ subscription }, { open: true }),
    // Events of one stream are read by who may read it; anything wider is a read of the whole store.
    requires: (params) => [
      ...needs('subscription/create')(params),
      params.type === 'stream' && typeof params.selector === 'string' && params.selector !== '$all'
        ? streamNeeds('stream/read', params.storeId, params.selector)
        : storeNeeds(params.storeId),
    ],
    check: (params) => checkSelector(params.type, params.selector),
  },
  leaveSubscription: {
    summary: 'Ends the delivery of a persistent subscription to this connection; it lives on.',
    servedBy: 'connection',
    worker: 'never',
    params: object<NamedSubscription>(named),
    result: object<{ readonly left: boolean }>({ left: boolean() }, { open: true }),
    requires: needs('subscription/create'),
  },
  removeSubscription: {
    summary: 'Removes a persistent subscription and its checkpoint.',
    servedBy: 'gateway',
    worker: 'never',
    params: object<RemoveSubscriptionParams>({
      ...named,
      type: optional(type),
      selector: optional(selector),
    }),
    result: object<{ readonly removed: boolean }>({ removed: boolean() }, { open: true }),
    requires: needs('subscription/delete'),
    check: (params) => {
      if (params.type !== undefined && params.selector !== undefined)
        checkSelector(params.type, params.selector);
    },
  },
  ackEvent: {
    summary: 'Acknowledges an event of a persistent subscription.',
    servedBy: 'connection',
    worker: 'never',
    params: object<AckEventParams>({ ...named, streamId, eventNumber: version, upTo: optional(boolean()) }),
    result: checkpoint,
    requires: needs('subscription/create'),
  },
  nackEvent: {
    summary: 'Says that an event was not processed, and what is to become of it.',
    servedBy: 'connection',
    worker: 'never',
    params: object<NackEventParams>({
      ...named,
      streamId,
      eventNumber: version,
      action: oneOf(['retry', 'park', 'skip']),
      delayMs: optional(integer(0, { maximum: 86_400_000, reason: 'delay' })),
      reason: optional(anyText()),
    }),
    result: checkpoint,
    requires: needs('subscription/create'),
  },
  getSubscriptions: {
    summary: 'The persistent subscriptions of a store; only those that the grants cover.',
    servedBy: 'gateway',
    worker: 'never',
    params: object<{ readonly storeId: string }>({ storeId }),
    result: object<{ readonly subscriptions: readonly Subscription[] }>(
      { subscriptions: array(subscription) },
      { open: true },
    ),
    requires: (params) => [
      {
        action: 'subscription/list',
        target: { kind: 'subscriptions', storeId: params.storeId },
        filtered: true,
      },
    ],
  },
  listParked: {
    summary: 'The events of a persistent subscription that were given up.',
    servedBy: 'gateway',
    worker: 'never',
    params: object<ListParkedParams>({
      ...named,
      after: optional(position),
      limit: optional(pageSize('limit')),
    }),
    result: object<{ readonly events: readonly ParkedEvent[]; readonly next?: number }>(
      { events: array(parkedEvent), next: optional(integer(0)) },
      { open: true },
    ),
    requires: needs('subscription/create'),
  },
  replayParked: {
    summary: 'Delivers parked events again.',
    servedBy: 'gateway',
    worker: 'never',
    params: object<ReplayParkedParams>({
      ...named,
      ids: optional(array(uuid, { max: 1_000, description: 'at most 1000 event ids' })),
    }),
    result: object<{ readonly count: number }>({ count: integer(0) }, { open: true }),
    requires: needs('subscription/create'),
  },
  resetSubscription: {
    summary: 'Begins a persistent subscription anew from a position.',
    servedBy: 'gateway',
    worker: 'never',
    params: object<ResetSubscriptionParams>({ ...named, startFrom }),
    result: empty,
    requires: needs('subscription/create'),
  },
};

const PATTERN_MEMBERS = new Set(['type', 'streamId', 'data', 'metadata', 'tags']);

function isPlainObject(value: JsonValue): value is { readonly [name: string]: JsonValue } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isNames(value: JsonValue | undefined): boolean {
  return Array.isArray(value) && value.length > 0 && value.every(isName);
}

const SELECTORS: Readonly<Record<SubscriptionType, readonly [(value: JsonValue) => boolean, string]>> = {
  stream: [isStreamId, 'a stream id or "$all"'],
  event_type: [(value) => isName(value) || isNames(value), 'an event type or a list of them'],
  event_pattern: [
    (value) => isPlainObject(value) && Object.keys(value).every((key) => PATTERN_MEMBERS.has(key)),
    'an object over type, streamId, data, metadata and tags',
  ],
  event_payload: [isPlainObject, 'an object over the data'],
  tags: [
    (value) => {
      if (!isPlainObject(value)) return false;
      const keys = Object.keys(value);
      return keys.length === 1 && (keys[0] === 'any' || keys[0] === 'all') && isNames(value[keys[0]]);
    },
    '{ any: [tags] } or { all: [tags] }',
  ],
};

function checkSelector(kind: SubscriptionType, value: JsonValue): void {
  const [fits, expected] = SELECTORS[kind];
  if (fits(value)) return;
  throw invalidArgument('selector', `\`selector\` does not fit the type ${kind}, expected ${expected}`, {
    path: 'selector',
    expected,
  });
}
