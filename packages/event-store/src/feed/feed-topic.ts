import { invalidArgument, LIMITS, type RecordedEvent } from '@esdb-gater/types';
import { cutPart, escapeCharacters, escapePart, PART_CHARACTERS } from './escape-part.ts';

/** The default of the setting `feed.topic`. */
export const DEFAULT_FEED_TOPIC = '{storeId}.{streamId}.{type}';

/** The members of an event that a topic is made of. */
export type TopicSubject = Pick<RecordedEvent, 'storeId' | 'streamId' | 'type'>;

/** What stands for what in a template. Each gives at least one and at most 81 characters without a white space. */
const PLACEHOLDERS: ReadonlyMap<string, (event: TopicSubject, segments: number) => string> = new Map([
  ['storeId', (event) => escapePart(event.storeId)],
  ['streamId', (event) => escapePart(event.streamId)],
  ['type', (event) => escapePart(event.type)],
  ['category', (event) => escapePart(categoryOf(event.streamId))],
  ['typePath', (event, segments) => typePath(event.type, segments)],
]);

const PLACEHOLDER = /\{([^{}]*)\}/g;
const LITERAL = /^[A-Za-z0-9\-_/:@+.]*$/;

/** Makes the topic of an event. */
export type FeedTopic = (event: TopicSubject) => string;

/**
 * Reads a template of the setting `feed.topic`. Whatever the event, the topics that it makes are valid: at most 1 024
 * characters in at most 32 segments, none empty and none a wildcard.
 *
 * @throws `invalid_argument` (reason `feed_topic`), which names what is wrong with the template
 */
export function compileFeedTopic(template: string = DEFAULT_FEED_TOPIC): FeedTopic {
  const literals = template.split(PLACEHOLDER);
  // Literals stand at even places, the names of placeholders between them at odd ones.
  const names = literals.filter((_, index) => index % 2 === 1);
  const paths = names.filter((name) => name === 'typePath').length;
  checkTemplate(template, literals, names);
  const segmentsLeft = LIMITS.topicSegments - template.split('.').length;
  const segmentsPerPath = 1 + Math.floor(segmentsLeft / Math.max(1, paths));
  return (event) =>
    literals
      .map((part, index) => (index % 2 === 0 ? part : PLACEHOLDERS.get(part)?.(event, segmentsPerPath)))
      .join('');
}

/** The topic of an event on the channel `events`. For many events, `compileFeedTopic` once. */
export function feedTopic(template: string, event: TopicSubject): string {
  return compileFeedTopic(template)(event);
}

function checkTemplate(template: string, literals: readonly string[], names: readonly string[]): void {
  const wrong = (what: string): Error =>
    invalidArgument('feed_topic', `the feed's topic ${JSON.stringify(template)} ${what}`);
  for (const name of names) {
    if (!PLACEHOLDERS.has(name)) {
      throw wrong(`has {${name}}, known are {${[...PLACEHOLDERS.keys()].join('}, {')}}`);
    }
  }
  if (!literals.every((part, index) => index % 2 === 1 || LITERAL.test(part))) {
    throw wrong('has a character that is no letter, digit or one of - _ / : @ + .');
  }
  const segments = template.split('.');
  if (segments.some((segment) => segment === '')) throw wrong('has an empty segment');
  if (segments.length > LIMITS.topicSegments) throw wrong(`has more than ${LIMITS.topicSegments} segments`);
  const literalCharacters = literals.reduce(
    (sum, part, index) => sum + (index % 2 === 0 ? part.length : 0),
    0,
  );
  if (literalCharacters + names.length * (PART_CHARACTERS + 1) > LIMITS.topicUnits) {
    throw wrong(`can become longer than ${LIMITS.topicUnits} characters`);
  }
}

/** The stream's name up to the first `-`. */
function categoryOf(streamId: string): string {
  const end = streamId.indexOf('-');
  return end < 0 ? streamId : streamId.slice(0, end);
}

/** The type with dots for `_`; what is beyond the allowed segments keeps its `_`, and empty segments fall away. */
function typePath(type: string, maxSegments: number): string {
  const words = type
    .split('_')
    .filter((word) => word !== '')
    .map(escapeCharacters);
  const head = words.slice(0, maxSegments - 1);
  const tail = words.slice(maxSegments - 1).join('_');
  const path = [...head, ...(tail === '' ? [] : [tail])].join('.');
  return cutPart(path, type);
}
