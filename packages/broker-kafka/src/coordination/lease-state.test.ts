import { describe, expect, test } from 'vitest';
import { applyEntry, type LeaseEntry, type LeaseState, parseEntry } from './lease-state.ts';

const TTL = 5_000;

type Step = readonly [holder: string, offset: number, timeMs: number, rest?: Partial<LeaseEntry>];

function run(steps: readonly Step[], complete: boolean = true): LeaseState | undefined {
  let state: LeaseState | undefined;
  for (const [holder, offset, timeMs, rest] of steps) {
    state = applyEntry(state, { holder, ttlMs: TTL, sequence: 0, ...rest }, { offset, timeMs, complete });
  }
  return state;
}

describe('who holds a lease', () => {
  test('the first claim wins, one that comes while it holds does not', () => {
    expect(
      run([
        ['a', 0, 0],
        ['b', 1, 1],
      ]),
    ).toMatchObject({ holder: 'a', epoch: 0, expiresAtMs: TTL });
  });

  test('a renewal with the epoch of the holder prolongs it, any other does not', () => {
    expect(
      run([
        ['a', 0, 0],
        ['a', 1, 3_000, { epoch: 0 }],
      ]),
    ).toMatchObject({ expiresAtMs: 8_000 });
    expect(
      run([
        ['a', 0, 0],
        ['b', 1, 3_000, { epoch: 1 }],
      ]),
    ).toMatchObject({ holder: 'b', epoch: 1 });
    expect(
      run([
        ['a', 7, 0],
        ['b', 8, 3_000, { epoch: 3 }],
      ]),
    ).toMatchObject({ holder: 'a', expiresAtMs: TTL });
  });

  test('an expired lease is won by the next claim, with a higher epoch', () => {
    expect(
      run([
        ['a', 0, 0],
        ['b', 4, TTL],
      ]),
    ).toMatchObject({ holder: 'b', epoch: 4 });
  });

  test('the renewal of an earlier holder that did not notice its end is without effect', () => {
    const state = run([
      ['a', 0, 0],
      ['b', 4, TTL],
      ['a', 5, TTL + 1, { epoch: 0 }],
    ]);
    expect(state).toMatchObject({ holder: 'b', epoch: 4, expiresAtMs: 2 * TTL });
  });

  test('a restarted node takes over its own lease at once', () => {
    expect(
      run([
        ['a', 0, 0],
        ['a', 9, 10],
      ]),
    ).toMatchObject({ holder: 'a', epoch: 9 });
  });

  test('a released lease is free', () => {
    expect(
      run([
        ['a', 0, 0],
        ['a', 1, 1, { epoch: 0, released: true }],
      ]),
    ).toBeUndefined();
    expect(
      run([
        ['a', 0, 0],
        ['b', 1, 1, { epoch: 5, released: true }],
        ['a', 2, 2],
      ]),
    ).toMatchObject({ holder: 'a' });
  });

  test('when the beginning of the log was removed, an unconfirmed claim yields to a node that renews', () => {
    const steps: Step[] = [
      ['b', 100, 0],
      ['a', 101, 1_000, { epoch: 3 }],
    ];
    expect(run(steps, false)).toMatchObject({ holder: 'a', epoch: 3 });
    expect(run([...steps, ['b', 102, 2_000, { epoch: 100 }]], false), 'the later win counts').toMatchObject({
      holder: 'b',
    });
  });
});

test.each([
  undefined,
  null,
  1,
  'a',
  [],
  {},
  { holder: 1, ttlMs: 1, sequence: 0 },
  { holder: 'a', ttlMs: -1, sequence: 0 },
])('%j is not an entry', (value) => expect(parseEntry(value as never)).toBeUndefined());
