import { LIMITS } from '@esdb-gater/types';
import { describeValue } from '../errors/describe-value.ts';

/**
 * The meaning of `*` and `>`: forbidden in a topic that is published; wildcards, as whole segments, in a subscription;
 * ordinary letters next to other characters in the key of a record that another Kafka client wrote.
 */
export type WildcardRule = 'forbidden' | 'wildcards' | 'letters';

/** Why a text is not a topic. */
export interface TopicProblem {
  /** The segment, from 1; absent when the problem concerns the whole text. */
  readonly segment?: number;
  /** Ends a sentence that begins with the segment or the topic: `has white space`. */
  readonly what: string;
}

const DOT = 0x2e;
const STAR = 0x2a;
const REST = 0x3e;

/** White space beyond Latin-1, as matched by `\s` of a regular expression. */
const WIDE_SPACE: ReadonlySet<number> = new Set([
  0x1680, 0x2000, 0x2001, 0x2002, 0x2003, 0x2004, 0x2005, 0x2006, 0x2007, 0x2008, 0x2009, 0x200a, 0x2028,
  0x2029, 0x202f, 0x205f, 0x3000, 0xfeff,
]);

/**
 * Finds the first reason why a value is not a topic: 1 to 32 segments joined by dots, at most 1 024 UTF-16 units, no
 * segment empty or with white space, control characters or lone surrogates.
 *
 * One pass over the characters. Allocates nothing for a topic that is well formed.
 */
export function findTopicProblem(topic: unknown, rule: WildcardRule): TopicProblem | undefined {
  if (typeof topic !== 'string') return { what: `must be a string, got ${describeValue(topic)}` };
  const { length } = topic;
  if (length === 0) return { what: 'must not be empty' };
  if (length > LIMITS.topicUnits) {
    return { what: `must have at most ${LIMITS.topicUnits} UTF-16 units, got ${length}` };
  }
  let segment = 1;
  let start = 0;
  for (let at = 0; at <= length; at++) {
    const unit = at === length ? DOT : topic.charCodeAt(at);
    let what: string | undefined;
    if (unit === DOT) {
      if (at === start) return { segment, what: 'is empty' };
      if (at === length) break;
      segment++;
      if (segment > LIMITS.topicSegments) {
        return { segment, what: `is beyond the limit of ${LIMITS.topicSegments} segments` };
      }
      start = at + 1;
    } else if (unit === STAR || unit === REST) {
      const whole = at === start && (at + 1 === length || topic.charCodeAt(at + 1) === DOT);
      what = wildcardProblem(unit, rule, whole, at + 1 === length);
    } else if (unit <= 0x20 || unit >= 0x7f) {
      if (isPair(unit, topic.charCodeAt(at + 1))) at++;
      else what = characterProblem(unit);
    }
    if (what !== undefined) return { segment, what };
  }
  return undefined;
}

/** @param low NaN at the end of the text */
function isPair(high: number, low: number): boolean {
  return high >= 0xd800 && high <= 0xdbff && low >= 0xdc00 && low <= 0xdfff;
}

/** @param unit beyond printable ASCII, and not the first of a pair */
function characterProblem(unit: number): string | undefined {
  if (unit === 0x20 || (unit >= 0x09 && unit <= 0x0d) || unit === 0xa0) return 'has white space';
  if (unit < 0xa0) return 'has a control character';
  if (unit >= 0xd800 && unit <= 0xdfff) return 'has a lone surrogate';
  return WIDE_SPACE.has(unit) ? 'has white space' : undefined;
}

function wildcardProblem(
  unit: number,
  rule: WildcardRule,
  whole: boolean,
  last: boolean,
): string | undefined {
  const mark = unit === STAR ? '`*`' : '`>`';
  if (rule === 'forbidden') return `has ${mark}, which only a subscription may have`;
  if (rule === 'letters') return whole ? `is ${mark}, which only a subscription may have` : undefined;
  if (!whole) return `has ${mark} beside other characters; it must be a whole segment`;
  return unit === REST && !last ? `is ${mark}, which only the last segment may be` : undefined;
}

/** Returns true for a topic that can be published. */
export function isTopic(value: unknown): value is string {
  return findTopicProblem(value, 'forbidden') === undefined;
}

/** Returns true for a topic that can be subscribed to: `*` is one segment, a last `>` is the rest. */
export function isTopicPattern(value: unknown): value is string {
  return findTopicProblem(value, 'wildcards') === undefined;
}
