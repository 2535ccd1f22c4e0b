import { utf8Bytes, uuidV7, walkJson } from '@esdb-gater/primitives';
import {
  type AppendEventsParams,
  GaterError,
  invalidArgument,
  type JsonValue,
  LIMITS,
  type NewEvent,
  type PublishParams,
  type RecordSnapshotParams,
} from '@esdb-gater/types';
import type { AppendToStreamsParams } from './stream-methods.ts';
import type { SaveSubscriptionParams } from './subscription-methods.ts';

/** Where the parameters come from, and what they may weigh. */
export interface PrepareOptions {
  /** Bound of one event and of one message as JSON. @default LIMITS.messageBytes */
  readonly messageBytes?: number;
  /**
   * UTF-16 units of the frame that the parameters were parsed from: what it holds is JSON, and when it is short
   * enough nothing in it is weighed. Absent for parameters of this process.
   */
  readonly frameUnits?: number;
  /** @default uuidV7 */
  readonly newId?: () => string;
}

/** A unit of JSON text becomes at most six bytes when it is written again (`1e20` becomes 21 digits). */
const GROWTH = 6;

function tooLarge(what: string, bytes: number, limit: number): GaterError {
  return new GaterError(
    'payload_too_large',
    `${what} has ${bytes} bytes as JSON, expected at most ${limit}`,
    {
      details: { bytes, limit },
    },
  );
}

function weighed(value: JsonValue, path: string, limit: number, options: PrepareOptions): JsonValue {
  // What came in a frame is walked, too: 1e999 is JSON, but it is no number that could be written again.
  const walk = walkJson(value, path);
  if (options.frameUnits !== undefined) {
    if (options.frameUnits * GROWTH > limit) weigh(value, path, limit);
    return value;
  }
  if (!walk.differs) {
    if (walk.bytes > limit) weigh(value, path, limit);
    return value;
  }
  const text = JSON.stringify(value);
  const bytes = utf8Bytes(text, limit);
  if (bytes > limit) throw tooLarge(`\`${path}\``, bytes, limit);
  return JSON.parse(text) as JsonValue;
}

function weigh(value: JsonValue, path: string, limit: number): void {
  const bytes = utf8Bytes(JSON.stringify(value), limit);
  if (bytes > limit) throw tooLarge(`\`${path}\``, bytes, limit);
}

/**
 * Events as a store takes them: each with its id (in lower case, so that an id is the same id however it was
 * written), each within the bound.
 *
 * @throws `payload_too_large` with `bytes` and `limit`; `invalid_argument`, reason `json`, for what is no JSON
 */
export function prepareEvents(
  events: readonly NewEvent[],
  options: PrepareOptions = {},
  path = 'events',
): readonly NewEvent[] {
  const limit = options.messageBytes ?? LIMITS.messageBytes;
  const newId = options.newId ?? uuidV7;
  return events.map((event, index) => {
    if (event.data === undefined) {
      throw invalidArgument('schema', `\`${path}[${index}].data\` is missing, expected any JSON value`, {
        path: `${path}[${index}].data`,
      });
    }
    const clean = weighed(event as unknown as JsonValue, `${path}[${index}]`, limit, options);
    return {
      ...(clean as unknown as NewEvent),
      id: event.id === undefined ? newId() : event.id.toLowerCase(),
    };
  });
}

/**
 * Parameters of a call that passed `validateParams`, completed and weighed: events and messages get ids, and
 * everything that callers send is within the bound. Parameters of other methods come back as they are.
 *
 * @throws `payload_too_large`; `invalid_argument`, reason `json`
 */
export function prepareParams(method: string, params: unknown, options: PrepareOptions = {}): unknown {
  switch (method) {
    case 'appendEvents': {
      const append = params as AppendEventsParams;
      return { ...append, events: prepareEvents(append.events, options) };
    }
    case 'appendToStreams': {
      const { appends, ...rest } = params as AppendToStreamsParams;
      const prepared = appends.map((append, index) => ({
        ...append,
        events: prepareEvents(append.events, options, `appends[${index}].events`),
      }));
      return { ...rest, appends: prepared };
    }
    case 'publish': {
      const publish = params as PublishParams;
      const limit = options.messageBytes ?? LIMITS.messageBytes;
      const message = weighed(publish.message, 'message', limit, options);
      return { ...publish, message, id: publish.id ?? (options.newId ?? uuidV7)() };
    }
    case 'recordSnapshot': {
      const snapshot = params as RecordSnapshotParams;
      const limit = options.messageBytes ?? LIMITS.messageBytes;
      const record = weighed(snapshot.record, 'record', limit, options);
      if (snapshot.metadata === undefined) return { ...snapshot, record };
      return { ...snapshot, record, metadata: weighed(snapshot.metadata, 'metadata', limit, options) };
    }
    case 'saveSubscription':
      walkJson((params as SaveSubscriptionParams).selector, 'selector');
      return params;
    default:
      return params;
  }
}
