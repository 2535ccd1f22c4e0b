import { type GaterError, invalidArgument } from '@esdb-gater/types';

/** A number in JSON text that a double does not hold exactly. */
export interface InexactNumber {
  /** `data.items[2]`; the empty string is the whole value. */
  readonly path: string;
  readonly source: string;
}

/**
 * Creates the error for a number that JSON would change: what is stored must be what was written.
 *
 * @param path the path of the value that contains the number
 */
export function inexactNumber({ path, source }: InexactNumber, of: string = ''): GaterError {
  const where = `${of}${of === '' || path === '' || path.startsWith('[') ? '' : '.'}${path}`;
  const shown = source.length > MAX_SHOWN_UNITS ? `${source.slice(0, MAX_SHOWN_UNITS)}…` : source;
  return invalidArgument(
    'number',
    `\`${where}\` must be a number that a double holds exactly, got ${shown}; write it as a string`,
    { path: where },
  );
}

/** Fewer digits than these fit a double, whatever they are; a number beyond its range has a long exponent. */
const SUSPECT = /\d{16}|\d[eE]\+?\d{3}/;

const MAX_SHOWN_UNITS = 40;

const INTEGER = /^-?\d+$/;

type Reviver = (this: object, key: string, value: unknown, context: { readonly source?: string }) => unknown;

/**
 * Finds an integer literal that a double does not hold exactly, or a number beyond the range of doubles. `JSON.parse`
 * changes such a number without a word.
 *
 * @param text valid JSON
 */
export function findInexactNumber(text: string): InexactNumber | undefined {
  if (!SUSPECT.test(text)) return undefined;
  let found: InexactNumber | undefined;
  let holder: object | undefined;
  const revive: Reviver = function (key, value, { source }) {
    if (found === undefined) {
      if (typeof value === 'number' && source !== undefined && !isExact(source, value)) {
        found = { path: stepTo(this, key), source };
        holder = this;
      }
    } else if (value === holder && key !== '') {
      // Values are visited from the inside out, so each container adds its own step in front.
      found = { ...found, path: stepTo(this, key) + found.path };
      holder = this;
    }
    return value;
  };
  JSON.parse(text, revive as Parameters<typeof JSON.parse>[1]);
  return found && { ...found, path: found.path.replace(/^\./, '') };
}

function isExact(source: string, value: number): boolean {
  if (!Number.isFinite(value)) return false;
  return !INTEGER.test(source) || source === String(value) || BigInt(source) === BigInt(value);
}

function stepTo(holder: object, key: string): string {
  if (Array.isArray(holder)) return `[${key}]`;
  return key === '' ? '' : `.${key.slice(0, 64)}`;
}
