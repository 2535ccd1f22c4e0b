import { join } from 'node:path';
import { runChild } from '../lib/child.ts';
import { type Contestant, type Rounds, valuesOf } from '../lib/rounds.ts';
import { spreadOf, spreadText } from '../lib/statistics.ts';

/** A contestant in a separate process, which runs a file of this folder. */
export function contestant(name: string, file: string, args: readonly string[], isPeer = false): Contestant {
  return { name, isPeer, run: () => runChild(join(import.meta.dirname, file), args) };
}

export function cell(figures: Rounds, name: string, key: string): string {
  return spreadText(spreadOf(valuesOf(figures, name, key)));
}
