import base, { type Arbitrary } from 'fast-check';

export type { Arbitrary };

/** The bounds of a generated collection; every length between them occurs. */
interface Lengths {
  /** @default 0 */
  readonly minLength?: number;
  readonly maxLength: number;
}

interface TextLengths extends Lengths {
  /** The units of the text, as in `fc.string`; few of them make equal texts. @default 'grapheme-ascii' */
  readonly unit?: Arbitrary<string> | 'grapheme' | 'grapheme-ascii' | 'grapheme-composite' | 'binary';
}

interface KeyCounts {
  /** @default 0 */
  readonly minKeys?: number;
  readonly maxKeys: number;
}

/** The generators of collections, with lengths up to what the test names. */
interface SizedGenerators {
  array<T>(element: Arbitrary<T>, lengths: Lengths): Arbitrary<T[]>;
  string(lengths: TextLengths): Arbitrary<string>;
  uint8Array(lengths: Lengths): Arbitrary<Uint8Array<ArrayBuffer>>;
  dictionary<T>(key: Arbitrary<string>, value: Arbitrary<T>, counts: KeyCounts): Arbitrary<Record<string, T>>;
}

/** Collections that no test needs yet: when one does, give them a size. */
type UnusedCollection = 'uniqueArray' | 'set' | 'map' | 'sparseArray' | 'commands';

const size = 'max';

const SIZED: SizedGenerators = {
  array: (element, lengths) => base.array(element, { ...lengths, size }),
  string: (lengths) => base.string({ ...lengths, size }),
  uint8Array: (lengths) => base.uint8Array({ ...lengths, size }),
  dictionary: (key, value, counts) => base.dictionary(key, value, { ...counts, size }),
};

/**
 * fast-check, with collections that are as large as their `maxLength` says, which each must have.
 *
 * fast-check on its own makes arrays and texts of at most 10 elements, whatever `maxLength` says, unless `size` is
 * given. So a property of 100 steps would only ever see 10. The linter lets no test import `fast-check` itself.
 */
export const fc: Omit<typeof base, keyof SizedGenerators | UnusedCollection> & SizedGenerators = {
  ...base,
  ...SIZED,
};
