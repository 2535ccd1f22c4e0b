import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A mutant that no test can notice, since the program behaves as before. */
export interface Equivalent {
  /** From the root of the repository. */
  readonly file: string;
  readonly mutator: string;
  /** The line on which it begins, without the blanks around it. */
  readonly code: string;
  /** The source that is replaced, without line breaks and with single blanks. */
  readonly original: string;
  readonly replacement: string;
  /** Why the program behaves as before. */
  readonly reason: string;
}

/** What identifies a mutant, whatever line it is on. */
export type MutantKey = Omit<Equivalent, 'reason'>;

const FILE = join(import.meta.dirname, 'equivalents.json');

/** Reads the list of mutants that are known to be equivalent. */
export function readEquivalents(): readonly Equivalent[] {
  const list = JSON.parse(readFileSync(FILE, 'utf8')) as readonly Equivalent[];
  for (const { file, code, reason } of list) {
    if (reason.trim() === '') throw new Error(`${file}: the equivalent mutant of ${code} needs a reason`);
  }
  return list;
}

/** Returns a text of one line, as `Equivalent` has it. */
export function onOneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}

/** Returns whether a mutant is on the list. */
export function isEquivalent(mutant: MutantKey, list: readonly Equivalent[]): boolean {
  return list.some(
    (one) =>
      one.file === mutant.file &&
      one.mutator === mutant.mutator &&
      one.code === mutant.code &&
      one.original === mutant.original &&
      one.replacement === mutant.replacement,
  );
}
