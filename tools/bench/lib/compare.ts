import { advantages, type Figures } from './figures.ts';

/** What two runs of one commit say about a figure against the last record. */
export interface Comparison {
  readonly figure: string;
  /** The two runs over the record; 1 is as good, 0.9 is a tenth worse. */
  readonly change: number;
  /** What two runs of the same commit differ by. A change of less says nothing. */
  readonly noise: number;
  readonly isWorse: boolean;
}

const LEAST_NOISE = 0.05;
const NOISE_SHARE = 0.75;

/**
 * Compares two runs of the same commit with the record. The noise of a figure is what the two runs differ by, and at
 * least what three quarters of all figures differ by, and 5 %: two runs that agree by chance do not make every later
 * difference a finding.
 */
export function compareFigures(record: Figures, first: Figures, second: Figures): readonly Comparison[] {
  const before = advantages(record);
  const [one, two] = [advantages(first), advantages(second)];
  const differences = new Map(
    [...one].flatMap(([figure, value]) => {
      const other = two.get(figure);
      return other === undefined ? [] : [[figure, Math.abs(Math.log(value / other))] as const];
    }),
  );
  if (differences.size === 0) return [];
  const common = upper([...differences.values()], NOISE_SHARE);
  return [...differences].flatMap(([figure, difference]) => {
    const was = before.get(figure);
    if (was === undefined) return [];
    const now = Math.sqrt((one.get(figure) as number) * (two.get(figure) as number));
    const noise = Math.max(difference, common, LEAST_NOISE);
    return [{ figure, change: now / was, noise, isWorse: Math.log(now / was) < -noise }];
  });
}

function upper(values: number[], share: number): number {
  values.sort((a, b) => a - b);
  return values[Math.min(values.length - 1, Math.floor(values.length * share))] as number;
}
