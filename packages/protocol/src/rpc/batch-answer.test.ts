import { expect, test } from 'vitest';
import { BatchAnswer } from './batch-answer.ts';

/** An answer of `bytes` bytes. */
function answer(id: number, bytes: number): string {
  const rest = JSON.stringify({ id, result: '' }).length;
  return JSON.stringify({ id, result: 'x'.repeat(bytes - rest) });
}

function setUp(calls: number, limit: number) {
  const sent: string[] = [];
  const batch = new BatchAnswer(calls, calls, limit, (text) => sent.push(text));
  const slots = Array.from({ length: calls }, (_, at) => batch.slot(at + 1));
  const answers = (): unknown[] =>
    (JSON.parse(sent[0] ?? '[]') as { id: number; error?: { data: { code: string } } }[]).map(
      ({ id, error }) => error?.data.code ?? id,
    );
  return { batch, slots, sent, answers };
}

test('answers are sent once all are known, in the order of the requests', () => {
  const { slots, sent } = setUp(3, 1_000);
  slots[2]?.('{"id":3}');
  slots[0]?.('{"id":1}');
  expect(sent).toEqual([]);
  slots[1]?.('{"id":2}');
  expect(sent).toEqual(['[{"id":1},{"id":2},{"id":3}]']);
});

test('answers that fill the frame to the last byte are all sent, and with one byte more the longest is not', () => {
  // Two brackets, and a comma for each answer.
  const full = setUp(2, 2 + 301 + 201);
  full.slots[0]?.(answer(1, 300));
  full.slots[1]?.(answer(2, 200));
  expect(full.answers()).toEqual([1, 2]);

  const beyond = setUp(2, 2 + 301 + 200);
  beyond.slots[0]?.(answer(1, 300));
  beyond.slots[1]?.(answer(2, 200));
  expect(beyond.answers()).toEqual(['payload_too_large', 2]);
});

test('bytes count, not characters', () => {
  const { slots, answers } = setUp(1, 500);
  slots[0]?.(JSON.stringify({ id: 1, result: '€'.repeat(200) }));
  expect(answers()).toEqual(['payload_too_large']);
});

test('as many of the longest answers are replaced as necessary, and the error has the limit', () => {
  const { slots, sent, answers } = setUp(4, 900);
  for (const [at, bytes] of [400, 600, 100, 500].entries()) slots[at]?.(answer(at + 1, bytes));
  expect(answers()).toEqual([1, 'payload_too_large', 3, 'payload_too_large']);
  expect(JSON.parse(sent[0] ?? '')[1].error.data).toMatchObject({ limit: 900 });
  expect(sent[0]?.length).toBeLessThanOrEqual(900);
});

test('errors that do not fit either are sent all the same, as nothing shorter answers the calls', () => {
  const { slots, answers } = setUp(2, 10);
  slots[0]?.(answer(1, 500));
  slots[1]?.(answer(2, 500));
  expect(answers()).toEqual(['payload_too_large', 'payload_too_large']);
});

test('what waits for the batch runs after it was sent', () => {
  const { batch, slots, sent } = setUp(2, 1_000);
  const seen: number[] = [];
  batch.after.push(() => seen.push(sent.length));
  slots[0]?.('1');
  expect(seen).toEqual([]);
  slots[1]?.('2');
  expect(seen).toEqual([1]);
});
