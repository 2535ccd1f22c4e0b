// Helpers that several packages share. This package neither reads files nor opens sockets.

// Collections
export { AsyncQueue, type AsyncQueueOptions } from './collections/async-queue.ts';
export { Fifo } from './collections/fifo.ts';
export { GenerationMap, GenerationSet } from './collections/generation-map.ts';
export { type PackedValue, packValue, unpackValue } from './collections/packed-value.ts';
export { WatchedValue } from './collections/watched-value.ts';
// Errors
export { describeType, describeValue, isBytes } from './errors/describe-value.ts';
export {
  type IntegerRule,
  invalidOption,
  type NumberRule,
  type OptionRule,
  requireInteger,
  requireNumber,
  requireOneOf,
} from './errors/options.ts';
// Follows
export { checkFollowStart, firstVersionAfter, positionLost } from './following/follow-start.ts';
// JSON
export {
  findInexactNumber,
  formatPath,
  hasKeptNumber,
  hasLargeNumber,
  type InexactNumber,
  inexactNumber,
  inexactNumbers,
  type JsonPath,
  parseExactly,
} from './json/exact-numbers.ts';
export { endOfString, JSON_DEPTH, nestsDeeper } from './json/json-depth.ts';
export { stableJson } from './json/stable-json.ts';
export { utf8Bytes } from './json/utf8-bytes.ts';
export { walkJson } from './json/walk-json.ts';
// Topics
export {
  findTopicProblem,
  isTopic,
  isTopicPattern,
  type TopicProblem,
  type WildcardRule,
} from './topics/topic-grammar.ts';
export { createTopicMatcher, type TopicMatcher, topicMatches } from './topics/topic-matcher.ts';
export { validatePattern, validateTopic } from './topics/validate-topic.ts';
// Values
export { isBase64 } from './values/base64.ts';
export { checkEventContent, type EventContent, isMediaType } from './values/event-content.ts';
export { checkCondition, checkQuery, eventMatcher, type MatchableEvent } from './values/event-query.ts';
export { FEED_START, isFurther, parseFeedPosition } from './values/feed-position.ts';
export { proofChallenge } from './values/proof-challenge.ts';
export { isRfc3339, parseRfc3339 } from './values/rfc3339.ts';
export {
  isTracestate,
  parseTraceparent,
  type TraceContext,
  type Traceparent,
  validTraceContext,
} from './values/trace-context.ts';
export { compareUtf8, prefixEnd } from './values/utf8-order.ts';
export { isUuid, uuidV5 } from './values/uuid.ts';
export { createUuidV7, type UuidComponents, uuidV7 } from './values/uuid-v7.ts';
// Waiting
export { InFlight } from './waiting/in-flight.ts';
export { type Limits, MAX_TIMER_MS, watchLimits } from './waiting/limits.ts';
export { nextTurn, onNextTurn } from './waiting/next-turn.ts';
export { onAbort } from './waiting/on-abort.ts';
export { type RetryUntilAbortedOptions, retryUntilAborted } from './waiting/retry-until-aborted.ts';
export { SingleFlight } from './waiting/single-flight.ts';
export { type SleepOptions, sleep } from './waiting/sleep.ts';
export { finishesWithin, waitFor } from './waiting/wait-for.ts';
export { waitUntil } from './waiting/wait-until.ts';
export { type LimitOptions, withLimit } from './waiting/with-limit.ts';
