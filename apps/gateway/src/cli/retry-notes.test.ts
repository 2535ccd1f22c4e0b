import { PassThrough } from 'node:stream';
import { GaterError } from '@esdb-gater/types';
import { expect, test } from 'vitest';
import { retryNotes } from './retry-notes.ts';

function notes(isTTY: boolean): string {
  const stderr = Object.assign(new PassThrough(), { isTTY });
  const logger = retryNotes({ stderr });
  for (const message of ['Kafka is away', 'Kafka is away', 'still\naway']) {
    logger.info({ err: new GaterError('unavailable', message) }, 'a call is tried again');
  }
  logger.info({}, 'something else');
  return String(stderr.read() ?? '');
}

test('somebody at a terminal is told each reason once, on one line', () => {
  expect(notes(true)).toBe(
    'unavailable: Kafka is away; trying again\nunavailable: still\\u000aaway; trying again\n',
  );
});

test('a program is told nothing', () => {
  expect(notes(false)).toBe('');
});
