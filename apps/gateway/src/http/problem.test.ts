import { ERROR_CODES, type ErrorCode, GaterError, invalidArgument } from '@esdb-gater/types';
import { expect, test } from 'vitest';
import { plainProblem, problemOf, statusOf } from './problem.ts';

test('every error code has a status of its class', () => {
  for (const code of Object.keys(ERROR_CODES) as ErrorCode[]) {
    const status = statusOf(new GaterError(code, 'x'));
    expect(status, code).toBeGreaterThanOrEqual(400);
    expect(status, code).toBeLessThan(600);
  }
});

test('a problem carries the members of the WebSocket error beside those of the standard', () => {
  const error = new GaterError('wrong_expected_version', 'expected 3, is 5', {
    details: { streamId: 's', expected: 3, actual: 5 },
  });
  const problem = problemOf(error);
  expect(problem.status).toBe(409);
  expect(problem.headers).toEqual({ 'content-type': 'application/problem+json' });
  expect(JSON.parse(problem.body)).toEqual({
    type: 'urn:esdb-gater:error:wrong_expected_version',
    title: 'wrong expected version',
    status: 409,
    detail: 'expected 3, is 5',
    code: 'wrong_expected_version',
    retriable: false,
    streamId: 's',
    expected: 3,
    actual: 5,
  });
});

test('unauthorized is 401 with a challenge, but lacking permission is 403 without one', () => {
  const of = (reason: string) => problemOf(new GaterError('unauthorized', 'x', { details: { reason } }));
  expect(of('expired')).toMatchObject({
    status: 401,
    headers: { 'www-authenticate': 'Bearer realm="default"' },
  });
  expect(of('insufficient_permissions').status).toBe(403);
  expect(of('insufficient_permissions').headers).not.toHaveProperty('www-authenticate');
});

test('a rate limit tells the seconds to wait, at least one', () => {
  const of = (retryAfterMs: number) =>
    problemOf(new GaterError('rate_limited', 'x', { details: { retryAfterMs } }));
  expect(of(1).headers['retry-after']).toBe('1');
  expect(of(1_001).headers['retry-after']).toBe('2');
});

test('retries_exhausted has the status of its cause', () => {
  const of = (cause: string) =>
    statusOf(new GaterError('retries_exhausted', 'x', { details: { attempts: 2, cause } }));
  expect([of('timeout'), of('no_workers'), of('retries_exhausted'), of('constructor')]).toEqual([
    504, 503, 500, 500,
  ]);
});

test('a body that is no JSON is 400, any other wrong argument 422', () => {
  expect(statusOf(invalidArgument('json', 'x'))).toBe(400);
  expect(statusOf(invalidArgument('topic', 'x'))).toBe(422);
});

test('the cause of an error never leaves the process', () => {
  const problem = problemOf(GaterError.from(new Error('password=hunter2')));
  expect(problem.status).toBe(500);
  expect(problem.body).not.toContain('hunter2');
});

test('what HTTP refuses by itself has no type of ours', () => {
  expect(JSON.parse(plainProblem(404, 'Not Found', 'no such path').body)).toMatchObject({
    type: 'about:blank',
    status: 404,
  });
});
