import { isUuid } from '@esdb-gater/primitives';
import type { JsonValue } from '@esdb-gater/types';
import { expect, test } from 'vitest';
import { encodeEvents, encodeJson } from './encode-event.ts';

test('the parts of an event are encoded once, with defaults', () => {
  const id = '0190D2A0-0000-7000-8000-000000000000';
  expect(encodeEvents([{ id, type: 't', data: { a: 1 } }], 0)).toEqual([
    { id, type: 't', data: '{"a":1}', metadata: '{}', tags: '[]', tagList: [] },
  ]);
});

test('an event over a MiB is payload_too_large and says how large it is', () => {
  const data = 'é'.repeat(524_288);
  expect(() => encodeEvents([{ type: 't', data }], 0)).toThrow(
    /events\[0\] must have at most 1048576 bytes as JSON, got 1048582/,
  );
  expect(encodeEvents([{ type: 't', data: 'x'.repeat(1_048_570) }], 0)).toHaveLength(1);
});

test.each([
  ['NaN', Number.NaN],
  ['an infinity within', { a: [{ b: Number.NEGATIVE_INFINITY }] }],
  ['a function', () => 1],
  ['a bigint', 1n],
])('%s cannot be written as JSON', (_name, value) => {
  expect(() => encodeJson(value as unknown as JsonValue, 'data')).toThrow(/^data /);
});

test('a cycle and nesting beyond the stack are invalid_argument, not a crash', () => {
  const cycle: { self?: unknown } = {};
  cycle.self = cycle;
  expect(() => encodeJson(cycle, 'data')).toThrow(/^data must be a JSON value: /);
  const deep = JSON.parse(`${'['.repeat(200_000)}${']'.repeat(200_000)}`);
  expect(() => encodeJson(deep, 'data')).toThrow(/^data must be a JSON value: /);
});

test('null is a value like any other', () => {
  expect(encodeJson({ a: null, b: [null], c: 'null' }, 'data')).toBe('{"a":null,"b":[null],"c":"null"}');
});

test('metadata that is not an object is refused', () => {
  const metadata = [1] as never;
  expect(() => encodeEvents([{ type: 't', data: 1, metadata }], 0)).toThrow(/metadata must be an object/);
});

test('an event without an id gets a UUIDv7 of its own, in the order of the events', () => {
  const [first, second] = encodeEvents(
    [
      { type: 't', data: 1 },
      { type: 't', data: 2 },
    ],
    0x0123_4567_89ab,
  ).map(({ id }) => id);
  expect(first).toMatch(/^01234567-89ab-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(isUuid(second)).toBe(true);
  expect(String(second) > String(first)).toBe(true);
});
