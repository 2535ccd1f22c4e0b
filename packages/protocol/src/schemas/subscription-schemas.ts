import {
  invalidArgument,
  isName,
  isStreamId,
  type JsonValue,
  type ParkedEvent,
  type Subscription,
  type SubscriptionType,
} from '@esdb-gater/types';
import type { ParamsOf, ResultOf } from '../methods/method-types.ts';
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
} from './leaf-schemas.ts';
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
  type SchemasOf,
} from './schema-kit.ts';

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

/** Persistent subscriptions. */
export const SUBSCRIPTION_SCHEMAS: SchemasOf<
  | 'saveSubscription'
  | 'leaveSubscription'
  | 'removeSubscription'
  | 'ackEvent'
  | 'nackEvent'
  | 'getSubscriptions'
  | 'listParked'
  | 'replayParked'
  | 'resetSubscription'
> = {
  saveSubscription: {
    summary: 'Makes, or joins, a persistent subscription; its events come to this connection.',
    params: object<ParamsOf<'saveSubscription'>>({
      ...named,
      type,
      selector,
      startFrom: optional(startFrom),
      maxInFlight: optional(integer(1, { maximum: 10_000, reason: 'max_in_flight' })),
      ackTimeoutMs: optional(integer(1, { maximum: 86_400_000, reason: 'ack_timeout' })),
      maxRetries: optional(integer(0, { maximum: 1_000_000, reason: 'max_retries' })),
    }),
    result: object<ResultOf<'saveSubscription'>>({ subscription }, { open: true }),
    check: (params) => checkSelector(params.type, params.selector),
  },
  leaveSubscription: {
    summary: 'Ends the delivery of a persistent subscription to this connection; it lives on.',
    params: object<ParamsOf<'leaveSubscription'>>(named),
    result: object<ResultOf<'leaveSubscription'>>({ left: boolean() }, { open: true }),
  },
  removeSubscription: {
    summary: 'Removes a persistent subscription and its checkpoint.',
    params: object<ParamsOf<'removeSubscription'>>({
      ...named,
      type: optional(type),
      selector: optional(selector),
    }),
    result: object<ResultOf<'removeSubscription'>>({ removed: boolean() }, { open: true }),
    check: (params) => {
      if (params.type !== undefined && params.selector !== undefined)
        checkSelector(params.type, params.selector);
    },
  },
  ackEvent: {
    summary: 'Acknowledges an event of a persistent subscription.',
    params: object<ParamsOf<'ackEvent'>>({
      ...named,
      streamId,
      eventNumber: version,
      upTo: optional(boolean()),
    }),
    result: checkpoint,
  },
  nackEvent: {
    summary: 'Says that an event was not processed, and what is to become of it.',
    params: object<ParamsOf<'nackEvent'>>({
      ...named,
      streamId,
      eventNumber: version,
      action: oneOf(['retry', 'park', 'skip']),
      delayMs: optional(integer(0, { maximum: 86_400_000, reason: 'delay' })),
      reason: optional(anyText()),
    }),
    result: checkpoint,
  },
  getSubscriptions: {
    summary: 'The persistent subscriptions of a store; only those that the grants cover.',
    params: object<ParamsOf<'getSubscriptions'>>({ storeId }),
    result: object<ResultOf<'getSubscriptions'>>({ subscriptions: array(subscription) }, { open: true }),
  },
  listParked: {
    summary: 'The events of a persistent subscription that were given up.',
    params: object<ParamsOf<'listParked'>>({
      ...named,
      after: optional(position),
      limit: optional(pageSize('limit')),
    }),
    result: object<ResultOf<'listParked'>>(
      { events: array(parkedEvent), next: optional(integer(0)) },
      { open: true },
    ),
  },
  replayParked: {
    summary: 'Delivers parked events again.',
    params: object<ParamsOf<'replayParked'>>({
      ...named,
      ids: optional(array(uuid, { max: 1_000, description: 'at most 1000 event ids' })),
    }),
    result: object<ResultOf<'replayParked'>>({ count: integer(0) }, { open: true }),
  },
  resetSubscription: {
    summary: 'Begins a persistent subscription anew from a position.',
    params: object<ParamsOf<'resetSubscription'>>({ ...named, startFrom }),
    result: empty,
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
  stream: [(value) => value === '$all' || isStreamId(value), 'a stream id or "$all"'],
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
