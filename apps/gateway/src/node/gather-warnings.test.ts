import { createFakeClock } from '@esdb-gater/primitives/testing';
import type { Logger } from '@esdb-gater/types';
import { expect, test } from 'vitest';
import { gatherWarnings } from './gather-warnings.ts';

function gathering() {
  const lines: [object, string][] = [];
  const write = (fields: object, message: string): void => void lines.push([fields, message]);
  const logger: Logger = { debug: write, info: write, warn: write, error: write };
  const clock = createFakeClock();
  return { lines, clock, ...gatherWarnings(logger, clock) };
}

test('warnings of one kind are one line a minute with their count [R23]', () => {
  const { lines, clock, logger } = gathering();
  for (let n = 0; n < 1_000; n++) logger.warn({ n, reason: 'a' }, 'slow');
  expect(lines).toEqual([[{ n: 0, reason: 'a' }, 'slow']]);
  clock.advance(60_000);
  expect(lines[1]).toEqual([{ n: 999, reason: 'a', count: 999 }, 'slow']);
  logger.warn({ n: 5, reason: 'a' }, 'slow');
  expect(lines).toHaveLength(2);
  clock.advance(60_000);
  expect(lines[2]).toEqual([{ n: 5, reason: 'a', count: 1 }, 'slow']);
  clock.advance(60_000);
  logger.warn({ n: 6, reason: 'a' }, 'slow');
  expect(lines[3]).toEqual([{ n: 6, reason: 'a' }, 'slow']);
});

test('other messages, reasons and error codes are other kinds, and other levels are not gathered [R23]', () => {
  const { lines, logger } = gathering();
  const code = (code: string): object => ({ err: Object.assign(new Error('x'), { code }) });
  for (const fields of [{ reason: 'a' }, { reason: 'b' }, code('a'), code('b')]) logger.warn(fields, 'slow');
  logger.warn({}, 'other');
  for (let n = 0; n < 3; n++) logger.info({}, 'listening');
  expect(lines).toHaveLength(8);
});

test('the counts are written at the end, and no timer is left [R23]', () => {
  const { lines, clock, logger, flush } = gathering();
  for (let n = 0; n < 3; n++) logger.warn({}, 'slow');
  flush();
  expect(lines.at(-1)).toEqual([{ count: 2 }, 'slow']);
  expect(clock.timers).toBe(0);
});
