import { checkEventContent, utf8Bytes, uuidV7, walkJson } from '@esdb-gater/primitives';
import { GaterError, LIMITS, type NewBytesEvent, type NewEvent } from '@esdb-gater/types';
import type { MethodName } from './method-table.ts';
import type { ParamsOf } from './method-types.ts';

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

const limitOf = ({ messageBytes }: PrepareOptions): number => messageBytes ?? LIMITS.messageBytes;

/** A unit of JSON text becomes at most six bytes when it is written again (`1e20` becomes 21 digits). */
const GROWTH = 6;

function tooLarge(what: string, bytes: number, limit: number): GaterError {
  return new GaterError(
    'payload_too_large',
    `${what} must have at most ${limit} bytes as JSON, got ${bytes}`,
    {
      details: { bytes, limit },
    },
  );
}

/** `value` as JSON makes it, a copy where it is not JSON yet. `T` is what JSON makes of it: a JSON value is one. */
function weighed<T>(value: T, path: string, limit: number, options: PrepareOptions): T {
  // What came in a frame is walked, too: 1e999 is JSON, but it is not a number that could be written again.
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
  return JSON.parse(text) as T;
}

function weigh(value: unknown, path: string, limit: number): void {
  const bytes = utf8Bytes(JSON.stringify(value), limit);
  if (bytes > limit) throw tooLarge(`\`${path}\``, bytes, limit);
}

/**
 * Events as a store takes them: each with its id (in lower case, so that an id is the same id however it was
 * written), each within the bound.
 *
 * @throws `payload_too_large` with `bytes` and `limit`; `invalid_argument`, reason `json`, for what is no JSON
 */
export function prepareEvents<E extends NewEvent | NewBytesEvent>(
  events: readonly E[],
  options: PrepareOptions = {},
  path = 'events',
): readonly (E & { readonly id: string })[] {
  const limit = limitOf(options);
  const newId = options.newId ?? uuidV7;
  return events.map((event, index) => {
    checkEventContent(event, `${path}[${index}]`);
    const id = event.id === undefined ? newId() : event.id.toLowerCase();
    return { ...weighed(event, `${path}[${index}]`, limit, options), id };
  });
}

type Preparation<M extends MethodName> = (params: ParamsOf<M>, options: PrepareOptions) => ParamsOf<M>;

/** Only of methods whose parameters hold what callers make up: events, messages, records, selectors. */
const PREPARATIONS: { readonly [M in MethodName]?: Preparation<M> } = {
  appendEvents: (params, options) => ({ ...params, events: prepareEvents(params.events, options) }),
  appendToStreams: (params, options) => ({
    ...params,
    appends: params.appends.map((append, index) => ({
      ...append,
      events: prepareEvents(append.events, options, `appends[${index}].events`),
    })),
  }),
  publish(params, options) {
    const message = weighed(params.message, 'message', limitOf(options), options);
    return { ...params, message, id: params.id ?? (options.newId ?? uuidV7)() };
  },
  recordSnapshot(params, options) {
    const limit = limitOf(options);
    const record = weighed(params.record, 'record', limit, options);
    if (params.metadata === undefined) return { ...params, record };
    return { ...params, record, metadata: weighed(params.metadata, 'metadata', limit, options) };
  },
  saveSubscription(params) {
    walkJson(params.selector, 'selector');
    return params;
  },
};

/**
 * Parameters of a call that passed `validateParams`, completed and weighed: events and messages get ids, and
 * everything that callers send is within the bound. Parameters of other methods come back as they are.
 *
 * @throws `payload_too_large`; `invalid_argument`, reason `json`
 */
export function prepareParams<M extends MethodName>(
  method: M,
  params: ParamsOf<M>,
  options: PrepareOptions = {},
): ParamsOf<M> {
  const prepare = PREPARATIONS[method];
  return prepare === undefined ? params : prepare(params, options);
}
