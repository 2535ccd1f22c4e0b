import { expect, test } from 'vitest';
import { checkEventContent, isMediaType } from './event-content.ts';

const verdict = (content: object): unknown => {
  try {
    checkEventContent(content, 'events[3]');
  } catch (error) {
    const { code, reason, details } = error as { code: string; reason: string; details: { path: string } };
    expect(code).toBe('invalid_argument');
    return [reason, details.path];
  }
  return 'taken';
};

test('an event has JSON alone, or bytes with their media type', () => {
  for (const data of [null, 0, '', false, {}]) expect(verdict({ data })).toBe('taken');
  expect(verdict({ dataBase64: 'AAECAw==', contentType: 'image/png' })).toBe('taken');
  expect(verdict({ dataBase64: '', contentType: 'text/plain; charset=utf-8' })).toBe('taken');
  // A member that is undefined is absent.
  expect(verdict({ data: 1, dataBase64: undefined, contentType: undefined })).toBe('taken');
});

test('what is missing, twice or wrong is named', () => {
  expect(verdict({})).toEqual(['schema', 'events[3].data']);
  expect(verdict({ contentType: 'a/b' })).toEqual(['schema', 'events[3].data']);
  expect(verdict({ data: 1, contentType: 'a/b' })).toEqual(['schema', 'events[3].contentType']);
  expect(verdict({ data: 1, dataBase64: 'AA==', contentType: 'a/b' })).toEqual([
    'schema',
    'events[3].dataBase64',
  ]);
  for (const dataBase64 of ['A', 'AA', 'AB==', 1, null]) {
    expect(verdict({ dataBase64, contentType: 'a/b' })).toEqual(['data_base64', 'events[3].dataBase64']);
  }
  for (const contentType of [undefined, '', 'png', 1]) {
    expect(verdict({ dataBase64: 'AA==', contentType })).toEqual(['content_type', 'events[3].contentType']);
  }
});

test('a media type has a type, a subtype, and parameters of printable ASCII, in 255 characters', () => {
  for (const good of ['a/b', 'application/vnd.x+json', 'text/plain;q=1', 'text/plain charset']) {
    expect([good, isMediaType(good)]).toEqual([good, true]);
  }
  for (const wrong of ['', 'a', 'a/', '/b', 'a/b/c', 'a/b\n', ' a/b', 'a/b;\u00e9', 'a/b,', null, 1]) {
    expect([wrong, isMediaType(wrong)]).toEqual([wrong, false]);
  }
  expect([isMediaType(`a/${'b'.repeat(253)}`), isMediaType(`a/${'b'.repeat(254)}`)]).toEqual([true, false]);
});
