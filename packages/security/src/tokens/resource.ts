import { invalidArgument } from '@esdb-gater/types';
import { textArgument } from '../arguments.ts';
import { unauthorized } from './token-error.ts';

/*
 * esdb://<realm>/<kind>/<part>/…: every id is a segment, NFC, with all but RFC 3986's unreserved characters
 * percent-encoded. A name has one spelling, so that comparing strings compares names. A literal `*` is allowed only at
 * the end, where it matches any suffix.
 */

const SCHEME = 'esdb://';
/** A topic has 1 024 units, each of which may become nine characters. */
const MAX_UNITS = 10_240;
/** Realm, kind and at least one part. */
const MIN_SEGMENTS = 3;

const PLAIN = /^[A-Za-z0-9\-._~/]*$/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: matches control characters on purpose
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/;

/** Matches names without a percent sign, which most are and which are in normal form. Both patterns are linear. */
const SIMPLE = /^esdb:\/\/[A-Za-z0-9\-._~]+(?:\/[A-Za-z0-9\-._~]+){2,}\*?$/;
const DOT_SEGMENT = /\/\.{1,2}(?:\/|$)/;

function encodeSegment(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/** Returns the normal form of a segment, percent-encoded or not; `undefined` when it has none. */
function normalSegment(segment: string): string | undefined {
  let text: string;
  try {
    text = decodeURIComponent(segment).normalize('NFC');
  } catch {
    return undefined;
  }
  if (CONTROL.test(text) || !text.isWellFormed()) return undefined;
  return encodeSegment(text);
}

/** Returns the normal form of a resource; `undefined` when it has none. Linear in the length, which is bounded. */
function normalForm(resource: string): string | undefined {
  if (resource === '*') return resource;
  if (resource.length > MAX_UNITS || !resource.startsWith(SCHEME)) return undefined;
  if (SIMPLE.test(resource) && !DOT_SEGMENT.test(resource)) return resource;
  const open = resource.endsWith('*');
  const body = resource.slice(SCHEME.length, open ? -1 : undefined);
  if (body.includes('*')) return undefined;
  const segments = body.split('/');
  if (!open && segments.length < MIN_SEGMENTS) return undefined;
  const isPlain = PLAIN.test(body);
  const normal: string[] = [];
  for (const [i, segment] of segments.entries()) {
    const one = isPlain ? segment : normalSegment(segment);
    // The part of a name before `*` may be any prefix of a valid name.
    const beginning = open && i === segments.length - 1;
    if (one === undefined || (!beginning && (one === '' || one === '.' || one === '..'))) return undefined;
    normal.push(one);
  }
  return `${SCHEME}${normal.join('/')}${open ? '*' : ''}`;
}

/** Returns true for a resource, or a beginning of resources with `*`, in normal form, as a grant requires. */
export function isNormalResource(resource: unknown): resource is string {
  return typeof resource === 'string' && normalForm(resource) === resource;
}

/**
 * Returns the normal form: NFC, percent-encoded in capitals, and only where needed.
 *
 * @throws `unauthorized`, reason `invalid_resource`: another scheme, fewer than three segments, one that is empty
 * or `.` or `..`, a `*` before the end, bad UTF-8, a control character, over 10 240 characters
 */
export function normalizeResource(resource: string): string {
  const normal = normalForm(textArgument(resource, 'the resource'));
  if (normal === undefined) {
    throw unauthorized('invalid_resource', 'the resource must be "esdb://<realm>/<kind>/<id>…" or "*"');
  }
  return normal;
}

/** The realm of a gateway without a configured one. */
export const DEFAULT_REALM = 'default';

/** Matches ids that need no percent-encoding, as most do. */
const UNRESERVED = /^[A-Za-z0-9\-._~]+$/;

function nameOf(realm: string, kind: string, parts: readonly string[], end = ''): string {
  const segments = [realm, kind, ...parts].map((part) => {
    if (typeof part === 'string' && part !== '.' && part !== '..' && UNRESERVED.test(part)) return part;
    const text = textArgument(part, `a part of the ${kind}'s resource`).normalize('NFC');
    if (text === '' || text === '.' || text === '..' || CONTROL.test(text) || !text.isWellFormed()) {
      throw invalidArgument('resource', `"${text.toWellFormed()}" is not allowed in a resource name`);
    }
    return encodeSegment(text);
  });
  return `${SCHEME}${segments.join('/')}${end}`;
}

/** Returns the part of a pattern before its first wildcard segment; `undefined` when it has none. */
function literalBeginning(pattern: string): string | undefined {
  const segments = pattern.split('.');
  const first = segments.findIndex((segment) => segment === '*' || segment === '>');
  return first < 0
    ? undefined
    : segments
        .slice(0, first)
        .map((segment) => `${segment}.`)
        .join('');
}

/**
 * Builds resource names in normal form. An id may be any string without control characters, except the empty string,
 * `.` and `..`.
 *
 * Each throws `invalid_argument`, reason `resource`.
 */
export const resourceName: {
  stream(realm: string, storeId: string, streamId: string): string;
  allStreams(realm: string, storeId: string): string;
  channel(realm: string, channel: string, topic: string): string;
  channelPattern(realm: string, channel: string, pattern: string): string;
  snapshot(realm: string, storeId: string, streamUuid: string): string;
  subscription(realm: string, storeId: string, name: string): string;
  worker(realm: string, storeId: string): string;
} = Object.freeze({
  stream: (realm, storeId, streamId) => nameOf(realm, 'stream', [storeId, streamId]),
  /** The whole store. */
  allStreams: (realm, storeId) => nameOf(realm, 'stream', [storeId], '/*'),
  /** One topic. */
  channel: (realm, channel, topic) => nameOf(realm, 'channel', [channel, topic]),
  /** The resource of a subscription to a pattern: its literal prefix and `*`, or the topic when it has no wildcards. */
  channelPattern: (realm, channel, pattern) => {
    const beginning = literalBeginning(textArgument(pattern, 'the pattern'));
    if (beginning === undefined) return nameOf(realm, 'channel', [channel, pattern]);
    if (beginning === '') return nameOf(realm, 'channel', [channel], '/*');
    return nameOf(realm, 'channel', [channel, beginning], '*');
  },
  snapshot: (realm, storeId, streamUuid) => nameOf(realm, 'snapshot', [storeId, streamUuid]),
  subscription: (realm, storeId, name) => nameOf(realm, 'subscription', [storeId, name]),
  worker: (realm, storeId) => nameOf(realm, 'worker', [storeId]),
});
