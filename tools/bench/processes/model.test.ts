import { expect, test } from 'vitest';
import { appendsPerSecond, messagesPerSecond } from './model.ts';

const COSTS = { messageMicros: 20, deliveryMicros: 0.5, sendMicros: 2, takeMicros: 10 };

test('one process spends a message and all its deliveries', () => {
  expect(messagesPerSecond(COSTS, 1, 1_000)).toBeCloseTo(1e6 / 520);
});

test('more processes share the deliveries, and the first pays for each of the others', () => {
  expect(messagesPerSecond(COSTS, 2, 1_000)).toBeCloseTo(1e6 / (20 + 2 + 250));
  expect(messagesPerSecond(COSTS, 64, 1_000)).toBeCloseTo(1e6 / (20 + 126 + 500 / 64));
});

test('appends of other processes cost the first one what they cost it over the link', () => {
  expect(appendsPerSecond({ aloneMicros: 40, firstMicros: 30 }, 1)).toBeCloseTo(1e6 / 40);
  expect(appendsPerSecond({ aloneMicros: 40, firstMicros: 30 }, 2)).toBeCloseTo(1e6 / 30);
  expect(appendsPerSecond({ aloneMicros: 40, firstMicros: 30 }, 4)).toBeCloseTo(1e6 / 25);
});
