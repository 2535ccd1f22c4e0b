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
  eventType,
  pageSize,
  position,
  recordedEvent,
  storeId,
  streamId,
  subscriptionName,
  tag,
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

const SUBSCRIPTION_TYPES = ['stream', 'event_type', 'event_pattern', 'event_payload', 'tags'] as const;

const type: Schema<SubscriptionType> = oneOf(SUBSCRIPTION_TYPES);

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
  { open: true, title: 'Subscription' },
);

const parkedEvent: Schema<ParkedEvent> = object<ParkedEvent>(
  { event: recordedEvent, reason: anyText(), attempts: integer(0), parkedAt: anyText('ISO 8601') },
  { open: true, title: 'ParkedEvent' },
);

const PATTERN_MEMBERS = ['type', 'streamId', 'data', 'metadata', 'tags'] as const;

function isPlainObject(value: JsonValue): value is { readonly [name: string]: JsonValue } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isNames(value: JsonValue | undefined): boolean {
  return Array.isArray(value) && value.length > 0 && value.every(isName);
}

/** What a selector of a type must be: in code, in words, and as a schema for readers. */
interface SelectorRule {
  readonly title: string;
  readonly fits: (value: JsonValue) => boolean;
  readonly expected: string;
  readonly schema: object;
}

const SELECTORS: Readonly<Record<SubscriptionType, SelectorRule>> = {
  stream: {
    title: 'StreamSubscription',
    fits: (value) => value === '$all' || isStreamId(value),
    expected: 'a stream id or "$all"',
    schema: { anyOf: [streamId, { enum: ['$all'] }] },
  },
  event_type: {
    title: 'EventTypeSubscription',
    fits: (value) => isName(value) || isNames(value),
    expected: 'an event type or a list of them',
    schema: { anyOf: [eventType, { type: 'array', items: eventType, minItems: 1 }] },
  },
  event_pattern: {
    title: 'EventPatternSubscription',
    fits: (value) =>
      isPlainObject(value) && Object.keys(value).every((key) => PATTERN_MEMBERS.some((one) => one === key)),
    expected: 'an object over type, streamId, data, metadata and tags',
    schema: {
      type: 'object',
      properties: Object.fromEntries(PATTERN_MEMBERS.map((member) => [member, json()])),
      additionalProperties: false,
    },
  },
  event_payload: {
    title: 'EventPayloadSubscription',
    fits: isPlainObject,
    expected: 'an object over the data',
    schema: { type: 'object' },
  },
  tags: {
    title: 'TagSubscription',
    fits: (value) => {
      if (!isPlainObject(value)) return false;
      const keys = Object.keys(value);
      return keys.length === 1 && (keys[0] === 'any' || keys[0] === 'all') && isNames(value[keys[0]]);
    },
    expected: '{ any: [tags] } or { all: [tags] }',
    schema: {
      anyOf: ['any', 'all'].map((member) => ({
        type: 'object',
        properties: { [member]: { type: 'array', items: tag, minItems: 1 } },
        required: [member],
        additionalProperties: false,
      })),
    },
  },
};

function checkSelector(kind: SubscriptionType, value: JsonValue): void {
  const { fits, expected } = SELECTORS[kind];
  if (fits(value)) return;
  throw invalidArgument('selector', `\`selector\` must be ${expected} for the type ${kind}`, {
    path: 'selector',
    expected,
  });
}

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
    params: object<ParamsOf<'saveSubscription'>>(
      {
        ...named,
        type,
        selector,
        startFrom: optional(startFrom),
        maxInFlight: optional(integer(1, { maximum: 10_000, reason: 'max_in_flight' })),
        ackTimeoutMs: optional(integer(1, { maximum: 86_400_000, reason: 'ack_timeout' })),
        maxRetries: optional(integer(0, { maximum: 1_000_000, reason: 'max_retries' })),
      },
      {
        variants: SUBSCRIPTION_TYPES.map((one) => ({
          title: SELECTORS[one].title,
          required: [],
          members: { type: { enum: [one] }, selector: SELECTORS[one].schema },
        })),
      },
    ),
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
