import { createFakeClock } from '@esdb-gater/primitives/testing';
import { silentLogger } from '@esdb-gater/types';
import { expect, test } from 'vitest';
import { StoreOutages } from './store-outages.ts';

function open() {
  const clock = createFakeClock();
  const logged: unknown[] = [];
  const note =
    (level: string) =>
    ({ storeId }: { storeId?: string }) =>
      logged.push([level, storeId]);
  const logger = { ...silentLogger, warn: note('warn'), info: note('info') };
  return { clock, logged, outages: new StoreOutages(clock, logger as typeof silentLogger) };
}

test('a store that failed is left alone for half a second, each time', () => {
  const { clock, outages } = open();
  expect(outages.isOut('a')).toBe(false);
  for (let round = 0; round < 2; round++) {
    outages.failed('a', new Error('gone'));
    expect([outages.isOut('a'), outages.isOut('b')]).toEqual([true, false]);
    clock.advance(499);
    expect(outages.isOut('a')).toBe(true);
    clock.advance(1);
    expect(outages.isOut('a')).toBe(false);
  }
  outages.failed('a', new Error('gone'));
  outages.succeeded('a');
  expect(outages.isOut('a')).toBe(false);
});

test('is told once about the beginning and the end of an outage', () => {
  const { logged, outages } = open();
  for (let n = 0; n < 3; n++) outages.failed('a', new Error('gone'));
  for (let n = 0; n < 3; n++) outages.succeeded('a');
  outages.succeeded('b');
  outages.failed('a', new Error('gone'));
  expect(logged).toEqual([
    ['warn', 'a'],
    ['info', 'a'],
    ['warn', 'a'],
  ]);
});

test('names the stores that failed within the last five seconds, with their last error', () => {
  const { clock, outages } = open();
  expect(outages.message()).toBeUndefined();
  outages.failed('one', new Error('first'));
  outages.failed('one', 'a text');
  clock.advance(1);
  outages.failed('two', new Error('second'));
  expect(outages.message()).toMatch(/one.*a text.*two.*second/);
  expect(outages.message()).not.toContain('first');
  clock.advance(4_999);
  expect(outages.message()).not.toContain('one');
  expect(outages.message()).toContain('two');
  clock.advance(1);
  expect(outages.message()).toBeUndefined();
});
