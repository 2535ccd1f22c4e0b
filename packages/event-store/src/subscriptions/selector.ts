import { utf8Bytes } from '@esdb-gater/primitives';
import {
  invalidArgument,
  type JsonObject,
  type JsonValue,
  LIMITS,
  type RecordedEvent,
  type SubscriptionType,
} from '@esdb-gater/types';
import { jsonEqual } from '../json-equal.ts';

/** Returns whether a subscription wants an event. Its cost is bounded by the size of the selector. */
export type Selects = (event: RecordedEvent) => boolean;

/** A selector is kept, and compared with every event, so it is small. */
const MAX_SELECTOR_BYTES = 16_384;

/** Most types or tags of a selector. */
const MAX_NAMES = LIMITS.pageCount;

type Compile = (selector: JsonValue) => Selects | undefined;

const COMPILERS: { readonly [T in SubscriptionType]: Compile } = {
  stream(selector) {
    if (selector === '$all') return () => true;
    return typeof selector === 'string' ? ({ streamId }) => streamId === selector : undefined;
  },
  event_type(selector) {
    const types = typeof selector === 'string' ? [selector] : namesOf(selector);
    if (types === undefined) return undefined;
    const wanted = new Set(types);
    return ({ type }) => wanted.has(type);
  },
  event_pattern(selector) {
    return isObject(selector) ? (event) => fits(selector, event as unknown as JsonValue) : undefined;
  },
  event_payload(selector) {
    return isObject(selector) ? ({ data }) => fits(selector, data) : undefined;
  },
  tags(selector) {
    if (!isObject(selector)) return undefined;
    const any = namesOf(selector['any']);
    const all = namesOf(selector['all']);
    if (any !== undefined) {
      const wanted = new Set(any);
      return ({ tags }) => tags.some((tag) => wanted.has(tag));
    }
    return all && (({ tags }) => all.every((tag) => tags.includes(tag)));
  },
};

/**
 * Compiles a selector.
 *
 * @throws `invalid_argument` (reason `selector`) for one that does not fit the type, or has more than 16 KiB as JSON
 */
export function compileSelector(type: SubscriptionType, selector: JsonValue): Selects {
  const bytes = utf8Bytes(JSON.stringify(selector) ?? '', MAX_SELECTOR_BYTES);
  if (bytes > MAX_SELECTOR_BYTES) {
    throw invalidArgument(
      'selector',
      `selector must have at most ${MAX_SELECTOR_BYTES} bytes as JSON, got ${bytes}`,
    );
  }
  const selects = COMPILERS[type]?.(selector);
  if (selects === undefined) throw invalidArgument('selector', `selector must fit the type ${type}`);
  return selects;
}

/**
 * Returns whether a value has everything that a pattern names. Each member of an object must be there and fit in turn;
 * arrays and scalars must be equal.
 */
function fits(pattern: JsonValue, value: JsonValue | undefined): boolean {
  if (value === undefined) return false;
  if (!isObject(pattern)) return jsonEqual(pattern, value);
  if (!isObject(value)) return false;
  for (const name of Object.keys(pattern)) {
    // hasOwn, because a member called `toString` or `__proto__` must not be found on the prototype.
    if (!Object.hasOwn(value, name) || !fits(pattern[name] as JsonValue, value[name])) return false;
  }
  return true;
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function namesOf(value: JsonValue | undefined): readonly string[] | undefined {
  if (!Array.isArray(value) || value.length === 0 || value.length > MAX_NAMES) return undefined;
  return value.every((name) => typeof name === 'string') ? (value as readonly string[]) : undefined;
}
