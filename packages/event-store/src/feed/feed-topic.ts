import { invalidArgument, LIMITS, type RecordedEvent } from '@esdb-gater/types';
import { cutPart, escapeCharacters, escapePart, PART_CHARACTERS } from './escape-part.ts';

/** The default of the setting `feed.topic`. */
export const DEFAULT_FEED_TOPIC = '{storeId}.{streamId}.{type}';

/** The members of an event that its topic is made of. */
export type TopicSubject = Pick<RecordedEvent, 'storeId' | 'streamId' | 'type'>;

/** The placeholders of a template. Each gives 1 to 81 characters without white space. */
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
 * Compiles a template of the setting `feed.topic`. The topic of any event is then valid: at most 1 024 characters in at
 * most 32 segments, none empty and none a wildcard.
 *
 * @throws `invalid_argument` (reason `feed_topic`), which says what is wrong with the template
 */
export function compileFeedTopic(template: string = DEFAULT_FEED_TOPIC): FeedTopic {
  const literals = template.split(PLACEHOLDER);
  // Literals are at even places, the names of placeholders between them at odd ones.
  const names = literals.filter((_, index) => index % 2 === 1);
  const paths = names.filter((name) => name === 'typePath').length;
  checkTemplate(template, literals, names);
  const segmentsLeft = LIMITS.topicSegments - template.split('.').length;
  const segmentsPerPath = 1 + Math.floor(segmentsLeft / Math.max(1, paths));
  const parts = literals.map((part, index) => (index % 2 === 0 ? part : (PLACEHOLDERS.get(part) ?? '')));
  return (event) => {
    let topic = '';
    for (const part of parts) topic += typeof part === 'string' ? part : part(event, segmentsPerPath);
    return topic;
  };
}

/** Returns the topic of an event on the channel `events`. For many events, call `compileFeedTopic` once. */
export function feedTopic(template: string, event: TopicSubject): string {
  return compileFeedTopic(template)(event);
}

function checkTemplate(template: string, literals: readonly string[], names: readonly string[]): void {
  const wrong = (what: string): Error =>
    invalidArgument('feed_topic', `the feed's topic ${JSON.stringify(template)} ${what}`);
  for (const name of names) {
    if (!PLACEHOLDERS.has(name)) {
      throw wrong(
        `must have no other placeholders than {${[...PLACEHOLDERS.keys()].join('}, {')}}, got {${name}}`,
      );
    }
  }
  if (!literals.every((part, index) => index % 2 === 1 || LITERAL.test(part))) {
    throw wrong('must have only letters, digits and - _ / : @ + . outside of placeholders');
  }
  const segments = template.split('.');
  if (segments.some((segment) => segment === '')) throw wrong('must not have an empty segment');
  if (segments.length > LIMITS.topicSegments)
    throw wrong(`must have at most ${LIMITS.topicSegments} segments, got ${segments.length}`);
  const literalCharacters = literals.reduce(
    (sum, part, index) => sum + (index % 2 === 0 ? part.length : 0),
    0,
  );
  if (literalCharacters + names.length * (PART_CHARACTERS + 1) > LIMITS.topicUnits) {
    throw wrong(`must give at most ${LIMITS.topicUnits} characters for any event`);
  }
}

/** Returns the stream's name up to the first `-`. */
function categoryOf(streamId: string): string {
  const end = streamId.indexOf('-');
  return end < 0 ? streamId : streamId.slice(0, end);
}

/** Replaces `_` in a type by dots, up to the allowed number of segments. Empty segments are left out. */
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
