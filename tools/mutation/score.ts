import { type Equivalent, isEquivalent, type MutantKey } from './equivalents.ts';

/** A mutant that was tried. */
export interface TriedMutant extends MutantKey {
  readonly line: number;
  /** As Stryker names it: `Killed`, `Timeout`, `Survived`, `NoCoverage`, and others that count as not tried. */
  readonly status: string;
}

export interface Score {
  readonly tried: number;
  /** Found by a test, endless loops included. */
  readonly killed: number;
  /** On the list of those that no test can notice. */
  readonly equivalent: number;
  /** Found by no test, in the order of files and lines. */
  readonly survivors: readonly TriedMutant[];
  /** Killed mutants, as a percentage of those that a test could notice. 100 for none. */
  readonly percent: number;
}

/** Computes the score of the mutants that were tried. Those that do not compile or were ignored do not count. */
export function scoreOf(mutants: readonly TriedMutant[], equivalents: readonly Equivalent[]): Score {
  const killed = mutants.filter(({ status }) => status === 'Killed' || status === 'Timeout').length;
  const left = mutants.filter(({ status }) => status === 'Survived' || status === 'NoCoverage');
  const survivors = left
    .filter((mutant) => !isEquivalent(mutant, equivalents))
    .sort((one, other) => one.file.localeCompare(other.file) || one.line - other.line);
  const noticeable = killed + survivors.length;
  return {
    tried: killed + left.length,
    killed,
    equivalent: left.length - survivors.length,
    survivors,
    percent: noticeable === 0 ? 100 : (100 * killed) / noticeable,
  };
}
