const DOT = 0x2e;
const STAR = 0x2a;
const REST = 0x3e;

/** Returns true when a topic matches. Linear in the length of the topic. */
export type TopicMatcher = (topic: string) => boolean;

/**
 * Returns true when `topic` matches `pattern`: `*` is exactly one segment, a last `>` one or more.
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

/** Makes a function of one pattern that meets many topics, as in a replay. */
export function createTopicMatcher(pattern: string): TopicMatcher {
  if (pattern === '>') return () => true;
  if (!pattern.includes('*') && !pattern.endsWith('>')) return (topic) => topic === pattern;
  return (topic) => topicMatches(pattern, topic);
}
