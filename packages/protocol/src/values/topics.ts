import { LIMITS } from '@esdb-gater/types';

const DOT = 0x2e;
const STAR = 0x2a;
const REST = 0x3e;

/** White space, control characters (C0, DEL, C1) and lone surrogates, none of which a segment may have. */
const FORBIDDEN = /[\s\p{Cc}]/u;

/**
 * Walks the segments without making strings of them.
 *
 * @returns whether `value` is well formed: as a pattern, where a whole segment may be `*` and the last one `>`,
 * or as a plain topic, where no whole segment is either
 */
function isWellFormed(value: unknown, pattern: boolean): value is string {
  if (typeof value !== 'string' || value.length === 0 || value.length > LIMITS.topicUnits) return false;
  if (FORBIDDEN.test(value) || !value.isWellFormed()) return false;
  let segments = 0;
  let start = 0;
  for (let at = 0; at <= value.length; at++) {
    const unit = at === value.length ? DOT : value.charCodeAt(at);
    if (unit === STAR || unit === REST) {
      const whole = at === start && (at + 1 === value.length || value.charCodeAt(at + 1) === DOT);
      if (!pattern || !whole || (unit === REST && at + 1 !== value.length)) return false;
    }
    if (unit !== DOT) continue;
    segments++;
    if (at === start || segments > LIMITS.topicSegments) return false;
    start = at + 1;
  }
  return true;
}

/** True for a topic that can be published: 1 to 32 segments joined by dots, at most 1 024 UTF-16 units. */
export function isTopic(value: unknown): value is string {
  return isWellFormed(value, false);
}

/** True for a topic that can be subscribed to: as a topic, with `*` for one segment and a last `>` for the rest. */
export function isTopicPattern(value: unknown): value is string {
  return isWellFormed(value, true);
}

/**
 * True when `topic` matches `pattern`: `*` is exactly one segment, a last `>` one or more.
 *
 * Linear in the shorter of both, without allocation; both must be well formed.
 */
export function topicMatches(pattern: string, topic: string): boolean {
  let p = 0;
  let t = 0;
  for (;;) {
    const unit = pattern.charCodeAt(p);
    if (unit === REST && p + 1 === pattern.length) return t < topic.length;
    if (unit === STAR && (p + 1 === pattern.length || pattern.charCodeAt(p + 1) === DOT)) {
      const end = topic.indexOf('.', t);
      t = end === -1 ? topic.length : end;
      p++;
    } else {
      while (p < pattern.length && t < topic.length && pattern.charCodeAt(p) !== DOT) {
        if (pattern.charCodeAt(p) !== topic.charCodeAt(t)) return false;
        p++;
        t++;
      }
    }
    const patternEnds = p === pattern.length;
    if (patternEnds || t === topic.length) return patternEnds && t === topic.length;
    if (pattern.charCodeAt(p) !== DOT || topic.charCodeAt(t) !== DOT) return false;
    p++;
    t++;
  }
}
