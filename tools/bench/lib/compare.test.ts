import { describe, expect, test } from 'vitest';
import { compareFigures } from './compare.ts';
import type { Figures } from './figures.ts';

function figures(ours: number, peer: number, name = 'appendsPerSecond'): Figures {
  return {
    append: {
      'esdb-gater': { isPeer: false, medians: { [name]: ours } },
      peer: { isPeer: true, medians: { [name]: peer } },
    },
  };
}

describe('a comparison of two runs with the record', () => {
  test('finds a rate worse that fell further than the two runs differ', () => {
    const [found] = compareFigures(figures(100, 10), figures(80, 10), figures(84, 10));
    expect(found).toMatchObject({ figure: 'append / esdb-gater / appendsPerSecond', isWorse: true });
    expect(found?.change).toBeCloseTo(0.82, 2);
  });

  test('finds nothing where the two runs differ by more than what is lost', () => {
    expect(compareFigures(figures(100, 10), figures(80, 10), figures(100, 10))).toMatchObject([
      { isWorse: false },
    ]);
  });

  test('finds a cost worse that rose', () => {
    const found = compareFigures(
      figures(10, 20, 'cpuMicros'),
      figures(13, 20, 'cpuMicros'),
      figures(13, 20, 'cpuMicros'),
    );
    expect(found).toMatchObject([{ isWorse: true }]);
  });

  test('holds a figure against its peers, so that a slower machine is not a finding', () => {
    expect(compareFigures(figures(100, 10), figures(50, 5), figures(50, 5))).toMatchObject([
      { change: expect.closeTo(1, 9), isWorse: false },
    ]);
  });

  test('takes the figure itself where no peer has it', () => {
    const alone = (value: number): Figures => ({
      idle: { 'esdb-gater': { isPeer: false, medians: { kibPerConnection: value } } },
    });
    expect(compareFigures(alone(10), alone(12), alone(12))).toMatchObject([{ isWorse: true }]);
    expect(compareFigures(alone(10), alone(9), alone(9))).toMatchObject([{ isWorse: false }]);
  });

  test('takes what most figures differ by for the noise of a figure whose runs agree by chance', () => {
    const many = (value: number, rest: number): Figures => ({
      ...figures(value, 10),
      ...Object.fromEntries(
        [1, 2, 3, 4].map((number) => [
          `other ${number}`,
          { 'esdb-gater': { isPeer: false, medians: { readsPerSecond: rest } } },
        ]),
      ),
    });
    const [first] = compareFigures(many(100, 100), many(90, 80), many(90, 100));
    expect(first).toMatchObject({ figure: 'append / esdb-gater / appendsPerSecond', isWorse: false });
  });

  test('leaves out what the record does not have', () => {
    expect(compareFigures({}, figures(1, 1), figures(1, 1))).toEqual([]);
  });
});
