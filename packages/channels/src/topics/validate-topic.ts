import { type GaterError, invalidArgument, LIMITS } from '@esdb-gater/types';

const DOT = 46;
const STAR = 42;
const GREATER = 62;

/** White space beyond ASCII: what `\s` of a regular expression means. */
const WIDE_SPACE: ReadonlySet<number> = new Set([
  0xa0, 0x1680, 0x2000, 0x2001, 0x2002, 0x2003, 0x2004, 0x2005, 0x2006, 0x2007, 0x2008, 0x2009, 0x200a,
  0x2028, 0x2029, 0x202f, 0x205f, 0x3000, 0xfeff,
]);

/**
 * Checks a topic that is published: 1 to 32 segments joined by dots, at most 1 024 UTF-16 units, no segment
 * empty, no white space, control character or lone surrogate, and neither `*` nor `>`.
 *
 * One pass over the characters, no regular expression.
 *
 * @throws `invalid_argument`, reason `topic`, naming the segment (from 1)
 */
export function validateTopic(topic: unknown): string {
  return check(topic, false);
}

/**
 * Checks the topic of a subscription: as {@link validateTopic}, but a segment may be `*` (exactly one segment)
 * and the last one `>` (one or more). Both only as whole segments.
 *
 * @throws `invalid_argument`, reason `topic`, naming the segment (from 1)
 */
export function validatePattern(pattern: unknown): string {
  return check(pattern, true);
}

function check(topic: unknown, wildcards: boolean): string {
  if (typeof topic !== 'string') {
    const found =
      topic === null ? 'null' : Array.isArray(topic) ? 'an array' : `a value of type ${typeof topic}`;
    throw refused(`the topic is ${found}, expected a string`);
  }
  const { length } = topic;
  if (length === 0) throw refused('the topic is empty, expected 1 to 32 segments joined by dots');
  if (length > LIMITS.topicUnits) {
    throw refused(`the topic has ${length} UTF-16 units, expected at most ${LIMITS.topicUnits}`);
  }
  let segment = 1;
  let start = 0;
  for (let at = 0; at <= length; at++) {
    const unit = at === length ? DOT : topic.charCodeAt(at);
    if (unit === DOT) {
      if (at === start) throw refused(`segment ${segment} of the topic ${quote(topic)} is empty`, segment);
      if (at === length) break;
      segment++;
      if (segment > LIMITS.topicSegments) {
        throw refused(`the topic has more than ${LIMITS.topicSegments} segments`, segment);
      }
      start = at + 1;
    } else if (unit === STAR || unit === GREATER) {
      const whole = at === start && (at + 1 === length || topic.charCodeAt(at + 1) === DOT);
      if (!wildcards || !whole || (unit === GREATER && at + 1 !== length)) {
        throw refused(wildcardText(topic, segment, unit, wildcards, whole), segment);
      }
    } else if (unit <= 32 || (unit >= 0x7f && unit <= 0x9f)) {
      throw refused(`segment ${segment} of the topic ${quote(topic)} has ${named(unit)}`, segment);
    } else if (unit > 0x9f && WIDE_SPACE.has(unit)) {
      throw refused(`segment ${segment} of the topic ${quote(topic)} has white space`, segment);
    } else if (unit >= 0xd800 && unit <= 0xdfff) {
      const next = unit <= 0xdbff && at + 1 < length ? topic.charCodeAt(at + 1) : 0;
      if (next < 0xdc00 || next > 0xdfff) {
        throw refused(`segment ${segment} of the topic ${quote(topic)} has a lone surrogate`, segment);
      }
      at++;
    }
  }
  return topic;
}

function named(unit: number): string {
  return unit === 32 || (unit >= 9 && unit <= 13) ? 'white space' : 'a control character';
}

function wildcardText(
  topic: string,
  segment: number,
  unit: number,
  wildcards: boolean,
  whole: boolean,
): string {
  const where = `segment ${segment} of the topic ${quote(topic)}`;
  const mark = unit === STAR ? '`*`' : '`>`';
  if (!wildcards) return `${where} has ${mark}, which only a subscription may have`;
  if (whole) return `${where} is ${mark}, which only the last segment may be`;
  return `${where} has ${mark} beside other characters, expected it as a whole segment`;
}

/** The topic for a message to people: control characters escaped, cut to a bearable length. */
function quote(topic: string): string {
  return JSON.stringify(topic.length > 80 ? `${topic.slice(0, 77)}...` : topic);
}

function refused(message: string, segment?: number): GaterError {
  return invalidArgument('topic', message, segment === undefined ? {} : { segment });
}
