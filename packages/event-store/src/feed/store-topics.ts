import { escapePart } from './escape-part.ts';

/** Returns false when no event of the store can have a topic that the pattern matches. */
export type CanMatch = (storeId: string, pattern: string) => boolean;

/** Compiles a valid template of the setting `feed.topic` into a test of which stores a pattern can match. */
export function compileStoreTopics(template: string): CanMatch {
  const segments = template.split('.').map((segment) => {
    if (segment.includes('{typePath}')) return '>';
    const withoutStore = segment.replaceAll('{storeId}', '');
    return withoutStore.includes('{') ? '*' : segment;
  });
  return (storeId, pattern) => {
    const part = escapePart(storeId);
    const topics = segments.map((segment) => segment.replaceAll('{storeId}', part));
    return overlap(topics, pattern.split('.'));
  };
}

/** Returns true when some topic matches both patterns. A `>` among the segments of `topics` is one or more segments. */
function overlap(topics: readonly string[], pattern: readonly string[]): boolean {
  for (let at = 0; at < topics.length || at < pattern.length; at++) {
    const [one, other] = [topics[at], pattern[at]];
    if (one === undefined || other === undefined) return false;
    if (one === '>' || other === '>') return true;
    if (one !== '*' && other !== '*' && one !== other) return false;
  }
  return true;
}
