import { fc } from '@esdb-gater/property-testing';
import { describe, expect, test } from 'vitest';
import { compileFeedTopic, DEFAULT_FEED_TOPIC, feedTopic } from './feed-topic.ts';

const EVENT = { storeId: 'default', streamId: 'user-1', type: 'user_created' };

/** The rule of a published topic, as the contract says it. */
function isValidTopic(topic: string): boolean {
  const segments = topic.split('.');
  return (
    topic.length <= 1_024 &&
    segments.length <= 32 &&
    segments.every((one) => one !== '' && one !== '*' && one !== '>' && !/[\s\p{Cc}]/u.test(one))
  );
}

describe('the default topic', () => {
  test('is store, stream and type', () => {
    expect(feedTopic(DEFAULT_FEED_TOPIC, EVENT)).toBe('default.user-1.user_created');
  });

  test('has _ for every character but letters, digits and -_/:@+', () => {
    const event = { ...EVENT, streamId: 'a.b c*>é\u00a0😀-_/:@+Z9' };
    expect(feedTopic(DEFAULT_FEED_TOPIC, event)).toBe('default.a_b_c_____-_/:@+Z9.user_created');
  });

  test('keeps a part of 80 characters and cuts one of 81 to 63, _ and 16 hex digits of its SHA-256', () => {
    const topicOf = (streamId: string): string => feedTopic('{streamId}', { ...EVENT, streamId });
    expect(topicOf('x'.repeat(80))).toBe('x'.repeat(80));
    // printf 'x%.0s' $(seq 81) | sha256sum
    expect(topicOf('x'.repeat(81))).toBe(`${'x'.repeat(63)}_4d1f7bb876c6aae0`);
  });

  test('keeps long names apart that differ only behind the cut', () => {
    const long = 'y'.repeat(200);
    const topics = [`${long}1`, `${long}2`].map((streamId) =>
      feedTopic('{streamId}', { ...EVENT, streamId }),
    );
    expect(new Set(topics).size).toBe(2);
  });
});

describe('a template', () => {
  test('{category} is the stream up to the first -', () => {
    const topicOf = (streamId: string): string => feedTopic('x.{category}', { ...EVENT, streamId });
    expect([topicOf('user-1-2'), topicOf('user'), topicOf('-1')]).toEqual(['x.user', 'x.user', 'x._']);
  });

  test('{typePath} makes user_created match user.*', () => {
    const topicOf = (type: string): string => feedTopic('{typePath}', { ...EVENT, type });
    expect(topicOf('user_created')).toBe('user.created');
    expect(topicOf('created')).toBe('created');
    expect(topicOf('__user__created__')).toBe('user.created');
    expect(topicOf('___')).toBe('_');
    expect(topicOf('user.name_set now')).toBe('user_name.set_now');
  });

  test('{typePath} of many words stays within 32 segments', () => {
    const type = 'a_'.repeat(39).slice(0, -1);
    const topic = feedTopic('{storeId}.{typePath}', { ...EVENT, type });
    expect(topic.split('.')).toHaveLength(32);
    expect(isValidTopic(topic)).toBe(true);
  });

  test.each([
    '',
    'a..b',
    '.{type}',
    '{type}.',
    '{stream}',
    '{}',
    '{__proto__}',
    'a b.{type}',
    '*.{type}',
    '{type}.>',
    '{type',
    'é.{type}',
    Array.from({ length: 33 }, () => 'a').join('.'),
    '{type}'.repeat(13),
  ])('that could make a wrong topic is refused: %j', (template) => {
    expect(() => compileFeedTopic(template)).toThrow(/the feed's topic/);
  });
});

describe('whatever the event', () => {
  const name = fc
    .string({
      minLength: 1,
      maxLength: 255,
      unit: fc.oneof(
        fc.constantFrom('_', '.', '-', 'a', ' '),
        fc.string({ unit: 'grapheme', minLength: 1, maxLength: 1 }),
      ),
    })
    .map((text) => text.slice(0, 255));
  const part = fc.constantFrom(
    '{storeId}',
    '{streamId}',
    '{type}',
    '{category}',
    '{typePath}',
    'x',
    'a{type}',
    '{typePath}/{typePath}',
  );
  const template = fc.array(part, { minLength: 1, maxLength: 6 }).map((parts) => parts.join('.'));

  test('the topic is valid, and no event can stop the feed', () => {
    fc.assert(
      fc.property(template, name, name, (text, streamId, type) => {
        const topic = feedTopic(text, { storeId: 's'.repeat(64), streamId, type });
        expect(isValidTopic(topic), topic).toBe(true);
      }),
      { numRuns: 500 },
    );
  });
});
