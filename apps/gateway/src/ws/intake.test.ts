import { beforeEach, expect, test } from 'vitest';
import { createIntakeTurns, Intake, type IntakeTurns } from './intake.ts';

let ends: (() => void)[];
let turns: IntakeTurns;
beforeEach(() => {
  ends = [];
  turns = createIntakeTurns((run) => ends.push(run));
});

function endTurn(): void {
  for (const end of ends.splice(0)) end();
}

function connection(elements = 1) {
  const state = { handled: [] as string[], ready: true, reading: true, units: 0, turns: [] as number[] };
  const intake: Intake = new Intake({
    turns,
    handle: (message) => {
      intake.spend(elements - 1);
      state.handled.push(String(message));
      state.turns.push(turns.turn);
    },
    isReady: () => state.ready,
    share: {
      add(units) {
        state.units += units;
      },
      release(units) {
        state.units -= units;
      },
    },
    pause: () => {
      state.reading = false;
    },
    resume: () => {
      state.reading = true;
    },
  });
  return { intake, state };
}

const numbers = (count: number): string[] => Array.from({ length: count }, (_, n) => String(n));

test('a connection has a bounded share of each turn, is not read meanwhile, and keeps its order [R22]', () => {
  const { intake, state } = connection();
  for (const text of numbers(300)) intake.push(text);
  expect(state).toMatchObject({ reading: false, handled: numbers(128) });
  endTurn();
  expect(state).toMatchObject({ reading: false, handled: numbers(256) });
  endTurn();
  expect(state).toMatchObject({ reading: true, handled: numbers(300) });
  expect(ends.length).toBeLessThanOrEqual(1);
});

test('all connections together have a bounded share of each turn, and each gets its own in time [R22]', () => {
  const connections = Array.from({ length: 40 }, () => connection());
  for (const { intake } of connections) for (const text of numbers(300)) intake.push(text);
  const inTurn = (turn: number): number =>
    connections.flatMap(({ state }) => state.turns).filter((one) => one === turn).length;
  expect(inTurn(0)).toBe(1_024);
  while (ends.length > 0) endTurn();
  expect(connections.every(({ state }) => state.handled.length === 300 && state.reading)).toBe(true);
  expect(Math.max(...Array.from({ length: turns.turn }, (_, turn) => inTurn(turn)))).toBeLessThanOrEqual(
    1_024,
  );
});

test('the elements of a batch and long texts count [R22]', () => {
  const batches = connection(100);
  for (const text of numbers(10)) batches.intake.push(text);
  expect(batches.state.handled).toHaveLength(2);
  const long = connection();
  for (let n = 0; n < 4; n++) long.intake.push('x'.repeat(4_096 * 127));
  expect(long.state.handled).toHaveLength(1);
});

test('while the client does not read, nothing is handled, and afterwards everything [R22]', () => {
  const { intake, state } = connection();
  state.ready = false;
  intake.push('a');
  intake.push('b');
  expect(state).toMatchObject({ reading: false, handled: [], units: 2 });
  expect(ends).toEqual([]);
  state.ready = true;
  intake.proceed();
  expect(state).toMatchObject({ reading: true, handled: ['a', 'b'], units: 0 });
});

test('a closed intake drops what waits and reads on', () => {
  const { intake, state } = connection();
  for (const text of numbers(300)) intake.push(text);
  intake.close();
  endTurn();
  intake.push('late');
  expect(state).toMatchObject({ reading: true, handled: numbers(128), units: 0 });
  expect(intake.length).toBe(0);
});
