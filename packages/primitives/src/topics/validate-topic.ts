import { type GaterError, invalidArgument } from '@esdb-gater/types';
import { findTopicProblem, type TopicProblem, type WildcardRule } from './topic-grammar.ts';

/**
 * Returns a topic that can be published.
 *
 * @throws `invalid_argument`, reason `topic`, with the `segment` (from 1)
 */
export function validateTopic(topic: unknown): string {
  return check(topic, 'forbidden');
}

/**
 * Returns a topic that can be subscribed to.
 *
 * @throws `invalid_argument`, reason `topic`, with the `segment` (from 1)
 */
export function validatePattern(pattern: unknown): string {
  return check(pattern, 'wildcards');
}

function check(topic: unknown, rule: WildcardRule): string {
  const problem = findTopicProblem(topic, rule);
  if (problem !== undefined) throw topicError(topic, problem);
  return topic as string;
}

function topicError(topic: unknown, { segment, what }: TopicProblem): GaterError {
  if (segment === undefined) return invalidArgument('topic', `the topic ${what}`);
  return invalidArgument('topic', `segment ${segment} of the topic ${quote(String(topic))} ${what}`, {
    segment,
  });
}

/** Escapes control characters, and cuts a long topic. */
function quote(topic: string): string {
  return JSON.stringify(topic.length > 80 ? `${topic.slice(0, 77)}...` : topic);
}
