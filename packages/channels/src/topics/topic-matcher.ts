/** True when a topic matches. Linear in the length of the topic. */
export type TopicMatcher = (topic: string) => boolean;

/**
 * One valid pattern as a function, for a replay, where one pattern meets many topics. Many patterns that meet
 * one topic are what `createTopicIndex` is for.
 */
export function createTopicMatcher(pattern: string): TopicMatcher {
  if (pattern === '>') return () => true;
  const segments = pattern.split('.');
  const open = segments.at(-1) === '>';
  if (open) segments.pop();
  else if (!segments.includes('*')) return (topic) => topic === pattern;
  return (topic) => matches(segments, open, topic);
}

function matches(segments: readonly string[], open: boolean, topic: string): boolean {
  let start = 0;
  for (const segment of segments) {
    // Also ends here when the topic has fewer segments: the last one left `start` past the end.
    if (start > topic.length) return false;
    const dot = topic.indexOf('.', start);
    const end = dot === -1 ? topic.length : dot;
    if (segment !== '*' && !(end - start === segment.length && topic.startsWith(segment, start)))
      return false;
    start = end + 1;
  }
  return open ? start <= topic.length : start > topic.length;
}
