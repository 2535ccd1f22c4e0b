import { CHANNEL_NAMES, ERROR_CODES } from '@esdb-gater/types';
import { expect, test } from 'vitest';
import { createLabelValues } from './label-values.ts';

test('a store is `other` from its first call until a worker registers for it', () => {
  const labels = createLabelValues({ configuredStores: ['configured'] });
  expect([labels.store('configured'), labels.store('served')]).toEqual(['configured', 'other']);
  labels.addStore('served');
  expect([labels.store('served'), labels.store('never-served')]).toEqual(['served', 'other']);
});

test('made-up store ids do not displace other stores, even when many workers register', () => {
  const labels = createLabelValues({ configuredStores: ['configured'] });
  labels.addStore('first');
  for (let i = 0; i < 10_000; i++) labels.addStore(`made-up-${i}`);
  const values = new Set(Array.from({ length: 10_000 }, (_, i) => labels.store(`made-up-${i}`)));
  expect(values.size).toBe(500);
  expect(values).toContain('other');
  expect([labels.store('configured'), labels.store('first')]).toEqual(['configured', 'first']);
});

test('a program that configures no stores names them as they come, up to the same limit', () => {
  const labels = createLabelValues();
  const values = Array.from({ length: 2_000 }, (_, i) => labels.store(`s${i}`));
  expect(values[0]).toBe('s0');
  expect(values.at(-1)).toBe('other');
  expect(new Set(values).size).toBe(501);
});

test('methods, channels and outcomes come from closed sets', () => {
  const labels = createLabelValues({ isMethod: (name) => name === 'getEvents' });
  expect(['getEvents', 'made-up'].map(labels.method)).toEqual(['getEvents', 'other']);
  expect([...CHANNEL_NAMES, 'made-up', '__proto__'].map(labels.channel)).toEqual([
    ...CHANNEL_NAMES,
    'other',
    'other',
  ]);
  const codes = ['ok', ...Object.keys(ERROR_CODES)];
  expect([...codes, 'made-up', 'constructor'].map(labels.outcome)).toEqual([...codes, 'other', 'other']);
});
