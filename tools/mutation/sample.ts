import { createHash } from 'node:crypto';
import type { Mutator } from './mutators.ts';

export interface Sample {
  /** The part of the mutants that is tried, above 0 and up to 1. */
  readonly share: number;
  /** Chooses the same mutants again. */
  readonly seed: string;
}

/** Returns the mutator with only some of its mutants: the same ones for the same seed and source. */
export function sampled(mutator: Mutator, { share, seed }: Sample): Mutator {
  if (share >= 1) return mutator;
  return {
    ...mutator,
    *mutate(path, ...context) {
      let nth = 0;
      for (const replacement of mutator.mutate(path, ...context)) {
        const place = `${path.hub?.file?.opts?.filename}:${path.node.start}:${mutator.name}:${nth++}`;
        if (fractionOf(`${seed}\n${place}`) < share) yield replacement;
      }
    },
  };
}

/** Maps a text to a number from 0 up to 1, evenly. */
export function fractionOf(text: string): number {
  return createHash('sha256').update(text).digest().readUInt32BE() / 2 ** 32;
}
