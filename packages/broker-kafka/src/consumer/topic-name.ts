import { LIMITS } from '@esdb-gater/types';

/** White space and control characters: the first below 0x21, then 0x7f to 0xa0, then what Unicode added. */
const WIDE_SPACES: ReadonlySet<number> = new Set([
  0x1680, 0x2000, 0x2001, 0x2002, 0x2003, 0x2004, 0x2005, 0x2006, 0x2007, 0x2008, 0x2009, 0x200a, 0x2028,
  0x2029, 0x202f, 0x205f, 0x3000, 0xfeff,
]);

/**
 * True for a topic that a message can have: segments joined by dots, none empty, without white space, control
 * characters and wildcard segments, up to 1 024 UTF-16 units and 32 segments. One pass over the text.
 */
export function isTopic(text: string): boolean {
  const { length } = text;
  if (length === 0 || length > LIMITS.topicUnits) return false;
  let segments = 1;
  let start = 0;
  for (let at = 0; at <= length; at++) {
    const unit = at === length ? DOT : text.charCodeAt(at);
    if (unit === DOT) {
      if (at === start || (at === start + 1 && isWildcard(text.charCodeAt(start)))) return false;
      start = at + 1;
      if (at < length) segments += 1;
    } else if (unit <= 0x20 || (unit >= 0x7f && unit <= 0xa0) || (unit > 0xff && WIDE_SPACES.has(unit))) {
      return false;
    }
  }
  return segments <= LIMITS.topicSegments;
}

const DOT = 0x2e;

function isWildcard(unit: number): boolean {
  return unit === 0x2a || unit === 0x3e;
}
