import { join } from 'node:path';
import { runChild } from '../lib/child.ts';
import { type Contestant, interleave, ratios, valuesOf } from '../lib/rounds.ts';
import { type Spread, spreadOf } from '../lib/statistics.ts';
import { CONTESTANTS, type ContestantName, type Operation } from './operations.ts';

/** How long the clock runs for one contestant in one round. */
const DURATION_MS = 200;
const FIGURE = 'callsPerSecond';

/** The result of one round of an operation. */
export interface Measured {
  readonly operation: Operation;
  /** Calls per second of each contestant. */
  readonly speeds: Readonly<Partial<Record<ContestantName, Spread>>>;
  /** Speed over the peer's, round by round. */
  readonly ratios: Readonly<Partial<Record<ContestantName, Spread>>>;
}

/** All contestants when the addon is built, else those that do not need it. */
export async function presentContestants(): Promise<readonly ContestantName[]> {
  try {
    await import('@esdb-gater/native');
    return CONTESTANTS;
  } catch {
    return ['peer', 'typescript'];
  }
}

/** Runs an operation of all contestants in turn. */
export async function measure(
  operation: Operation,
  present: readonly ContestantName[],
  rounds: number,
): Promise<Measured> {
  const child = (name: string, contestant: ContestantName, what: string, isPeer = false): Contestant => ({
    name,
    isPeer,
    run: () => runChild(join(import.meta.dirname, 'contestant.ts'), [contestant, what, `${DURATION_MS}`]),
  });
  // A cached token is compared with the same engine without its cache, and only the engines of this project have one.
  const again = operation.name === 'tokenAgain';
  const ours = present.filter((name) => name !== 'peer' && !(again && name === 'addon'));
  const peerOf = (name: ContestantName): string => (again ? `${name}, not seen` : 'peer');
  const peers = again
    ? ours.map((name) => child(peerOf(name), name, 'token', true))
    : [child('peer', 'peer', operation.name, true)];
  const figures = await interleave(
    operation.title,
    [...peers, ...ours.map((name) => child(name, name, operation.name))],
    rounds,
  );
  const spreads = (of: (name: ContestantName) => number[], names: readonly ContestantName[]) =>
    Object.fromEntries(names.map((name) => [name, spreadOf(of(name))]));
  return {
    operation,
    speeds: spreads((name) => valuesOf(figures, name, FIGURE), again ? ours : ['peer', ...ours]),
    ratios: spreads((name) => ratios(figures, name, peerOf(name), FIGURE), ours),
  };
}
