import type { JsonValue, RecordedEvent, SubscriptionType } from '@esdb-gater/types';
import { describe, expect, test } from 'vitest';
import { compileSelector } from './selector.ts';

const event = {
  id: '01890000-0000-7000-8000-000000000001',
  streamId: 'users-1',
  version: 3,
  position: 9,
  type: 'user_created',
  data: { name: 'Ann', address: { city: 'Bonn', zip: null }, roles: ['a', 'b'] },
  metadata: { by: 'x' },
  tags: ['t', 'u'],
} as unknown as RecordedEvent;

const selects = (type: SubscriptionType, selector: JsonValue): boolean =>
  compileSelector(type, selector)(event);

describe('a selector', () => {
  test.each<[SubscriptionType, JsonValue, boolean]>([
    ['stream', '$all', true],
    ['stream', 'users-1', true],
    ['stream', 'users-2', false],
    ['event_type', 'user_created', true],
    ['event_type', 'user_deleted', false],
    ['event_type', ['user_deleted', 'user_created'], true],
    ['event_type', ['user_deleted'], false],
    ['event_pattern', { type: 'user_created', data: { name: 'Ann' } }, true],
    ['event_pattern', { type: 'user_created', data: { name: 'Bob' } }, false],
    ['event_pattern', { data: { address: { city: 'Bonn' } }, metadata: {} }, true],
    ['event_pattern', { nothing: 1 }, false],
    ['event_payload', {}, true],
    ['event_payload', { roles: ['a', 'b'] }, true],
    ['event_payload', { roles: ['a'] }, false],
    ['event_payload', { address: { zip: null } }, true],
    ['event_payload', { name: { first: 'Ann' } }, false],
    ['event_payload', { toString: {} }, false],
    ['event_payload', { roles: { length: 2 } }, false],
    ['tags', { any: ['x', 'u'] }, true],
    ['tags', { any: ['x'] }, false],
    ['tags', { all: ['t', 'u'] }, true],
    ['tags', { all: ['t', 'x'] }, false],
  ])('%s %j: %s', (type, selector, expected) => {
    expect(selects(type, selector)).toBe(expected);
  });

  test('of a payload selects no event whose payload is not an object', () => {
    for (const data of [null, 1, 'text', ['a']]) {
      expect(compileSelector('event_payload', {})({ ...event, data })).toBe(false);
    }
  });

  test.each<[SubscriptionType, JsonValue]>([
    ['stream', 1],
    ['stream', ['users-1']],
    ['event_type', []],
    ['event_type', ['a', 1]],
    ['event_type', null],
    ['event_pattern', 'type'],
    ['event_pattern', ['type']],
    ['event_payload', null],
    ['tags', ['t']],
    ['tags', {}],
    ['tags', { any: [] }],
    ['tags', { all: 't' }],
    ['other' as SubscriptionType, '$all'],
  ])('%s %j is refused', (type, selector) => {
    expect(() => compileSelector(type, selector)).toThrow(
      expect.objectContaining({ code: 'invalid_argument', reason: 'selector' }),
    );
  });

  test('has at most 16 KiB as JSON, and 1 000 names', () => {
    const text = (bytes: number): JsonValue => ({ a: 'x'.repeat(bytes - '{"a":""}'.length) });
    expect(selects('event_payload', text(16_384))).toBe(false);
    expect(() => compileSelector('event_payload', text(16_385))).toThrow(
      expect.objectContaining({ code: 'invalid_argument', reason: 'selector' }),
    );
    const names = Array.from({ length: 1_000 }, (_, n) => `n${n}`);
    expect(selects('event_type', names)).toBe(false);
    expect(selects('tags', { all: names })).toBe(false);
    expect(() => compileSelector('event_type', [...names, 'm'])).toThrow(
      expect.objectContaining({ reason: 'selector' }),
    );
  });
});
