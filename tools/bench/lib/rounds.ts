import { keepFigures } from './figures.ts';
import { spreadOf } from './statistics.ts';

/** One who takes part in every round; `run` resolves to the figures of one round, by name. */
export interface Contestant {
  readonly name: string;
  /** Whether it is not of this project. The figures of this project's are held against those of the peers. */
  readonly isPeer?: boolean;
  run(): Promise<Readonly<Record<string, number>>>;
}

export type Rounds = ReadonlyMap<string, readonly Readonly<Record<string, number>>[]>;

/**
 * Runs the contestants in turn, A B A B …, so that a machine whose speed drifts affects all contestants equally. The
 * first round warms up and does not count. The medians are kept under the name of the scenario.
 */
export async function interleave(
  scenario: string,
  contestants: readonly Contestant[],
  rounds: number,
): Promise<Rounds> {
  const figures = new Map(contestants.map(({ name }) => [name, [] as Readonly<Record<string, number>>[]]));
  for (let round = 0; round <= rounds; round += 1) {
    for (const { name, run } of contestants) {
      const which = round === 0 ? 'warm-up' : `round ${round} of ${rounds}`;
      process.stderr.write(`${scenario}, ${which}: ${name}\n`);
      const result = await run();
      if (round > 0) figures.get(name)?.push(result);
    }
  }
  for (const { name, isPeer = false } of contestants) {
    keepFigures(scenario, name, isPeer, medians(figures.get(name) ?? []));
  }
  return figures;
}

function medians(rounds: readonly Readonly<Record<string, number>>[]): Readonly<Record<string, number>> {
  const keys = Object.keys(rounds[0] ?? {});
  return Object.fromEntries(
    keys.map((key) => [key, spreadOf(rounds.map((round) => round[key] ?? Number.NaN)).median]),
  );
}

/** Round by round, the figure of `ours` over that of `peer`. */
export function ratios(rounds: Rounds, ours: string, peer: string, figure: string): number[] {
  const mine = rounds.get(ours) ?? [];
  const theirs = rounds.get(peer) ?? [];
  return mine.map(
    (result, index) => (result[figure] ?? Number.NaN) / (theirs[index]?.[figure] ?? Number.NaN),
  );
}

export function valuesOf(rounds: Rounds, name: string, figure: string): number[] {
  return (rounds.get(name) ?? []).map((result) => result[figure] ?? Number.NaN);
}
