import { GaterError } from '@esdb-gater/types';
import { describe, expect, test } from 'vitest';
import { errorLine } from './error-line.ts';

const error = new GaterError('wrong_expected_version', 'expected version 0, but it is 3', {
  details: { streamId: 'users-1', expected: 0, actual: 3 },
});

describe('the line of an error', () => {
  test('begins with the code and tells what the error carries', () => {
    expect(errorLine(error, false)).toBe(
      'wrong_expected_version: expected version 0, but it is 3 (streamId=users-1, expected=0, actual=3)',
    );
  });

  test('is JSON with --json', () => {
    expect(JSON.parse(errorLine(error, true))).toEqual({
      code: 'wrong_expected_version',
      retriable: false,
      streamId: 'users-1',
      expected: 0,
      actual: 3,
      message: 'expected version 0, but it is 3',
    });
  });

  test('stays one line when a name has line breaks', () => {
    const odd = new GaterError('store_not_found', 'no store "a\nb"', { details: { storeId: 'a\nb' } });
    expect(errorLine(odd, false)).not.toContain('\n');
  });
});
