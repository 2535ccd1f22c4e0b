/** One who takes part in every round; `run` resolves to the figures of one round, by name. */
export interface Contestant {
  readonly name: string;
  run(): Promise<Readonly<Record<string, number>>>;
}

export type Rounds = ReadonlyMap<string, readonly Readonly<Record<string, number>>[]>;

/**
 * Runs the contestants in turn, A B A B …, so that a machine whose speed drifts affects all contestants equally. The
 * first round warms up and does not count.
 */
export async function interleave(contestants: readonly Contestant[], rounds: number): Promise<Rounds> {
  const figures = new Map(contestants.map(({ name }) => [name, [] as Readonly<Record<string, number>>[]]));
  for (let round = 0; round <= rounds; round += 1) {
    for (const { name, run } of contestants) {
      process.stderr.write(`${round === 0 ? 'warm-up' : `round ${round} of ${rounds}`}: ${name}\n`);
      const result = await run();
      if (round > 0) figures.get(name)?.push(result);
    }
  }
  return figures;
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
