import { describe, expect, test } from 'vitest';
import { ERROR_CODES, isErrorCode } from './error-codes.ts';
import { GaterError, invalidArgument } from './gater-error.ts';

describe('GaterError', () => {
  test('carries its details as members and on the wire', () => {
    const error = new GaterError('wrong_expected_version', 'expected 1, but the stream is at 3', {
      details: { streamId: 'a', expected: 1, actual: 3 },
    });
    expect(error).toMatchObject({ code: 'wrong_expected_version', retriable: false, expected: 1, actual: 3 });
    expect(error.toData()).toEqual({
      code: 'wrong_expected_version',
      retriable: false,
      streamId: 'a',
      expected: 1,
      actual: 3,
    });
  });

  test('never puts its cause on the wire', () => {
    const error = GaterError.from(new Error('password is hunter2'));
    expect(error.code).toBe('internal');
    expect(JSON.stringify(error.toData())).not.toContain('hunter2');
    expect(error.message).not.toContain('hunter2');
    expect(error.cause).toBeInstanceOf(Error);
  });

  test('has the code of the last failed attempt as `cause`', () => {
    const error = new GaterError('retries_exhausted', 'gave up', {
      details: { attempts: 10, cause: 'unavailable' },
    });
    expect(error).toMatchObject({ attempts: 10, cause: 'unavailable' });
    expect(error.toData()).toMatchObject({ attempts: 10, cause: 'unavailable' });
  });

  test('is known by its brand, so that a second copy of the package knows it too', () => {
    expect(GaterError.is(invalidArgument('schema', 'x'))).toBe(true);
    expect(GaterError.is(Object.assign(new Error('x'), { code: 'timeout' }))).toBe(false);
    expect(GaterError.is(null)).toBe(false);
  });

  test('survives the way over the wire', () => {
    for (const code of Object.keys(ERROR_CODES).filter(isErrorCode)) {
      const sent = new GaterError(code, 'why', { details: { reason: 'r', n: 1 } });
      const got = GaterError.fromData(sent.message, JSON.parse(JSON.stringify(sent.toData())));
      expect(got.toData()).toEqual(sent.toData());
    }
  });

  test('maps an unknown code of a newer peer to internal and keeps its name', () => {
    const error = GaterError.fromData('odd', { code: 'from_the_future', retriable: true });
    expect(error.code).toBe('internal');
    expect(GaterError.fromData('odd', 'nothing').code).toBe('internal');
  });

  test('does not let a detail shadow a member of Error', () => {
    const details = { message: 'no', stack: 'no', toData: 'no', constructor: 'no' };
    const error = new GaterError('internal', 'yes', { details });
    expect(error.message).toBe('yes');
    expect(typeof error.toData).toBe('function');
    expect(error.constructor).toBe(GaterError);
  });
});
