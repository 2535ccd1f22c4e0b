import { type GaterError, invalidArgument } from '@esdb-gater/types';
import { endOfString } from './json-depth.ts';

/** A number in JSON text that a double does not hold exactly. */
export interface InexactNumber {
  /** `data.items[2]`; the empty string is the whole value. */
  readonly path: string;
  readonly source: string;
}

/** The names and indexes that lead to a value. */
export type JsonPath = readonly (string | number)[];

/** The place of a number in a JSON text. */
export interface NumberPlace {
  readonly source: string;
  /**
   * Returns the first steps of the path to the number, so that a check of its beginning costs little on a long path. A
   * step is cut to 64 units.
   */
  path(maxSteps?: number): JsonPath;
}

/**
 * Creates the error for a number that `JSON.parse` would change: an event must be stored as it was written.
 *
 * @param of the path of the value that contains the number
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

const MAX_SHOWN_UNITS = 40;

/**
 * Matches the beginning of each number that may be inexact. Every integer below 9e15 fits a double, and a number beyond
 * the range of doubles has more digits or a long exponent. The delimiter in front excludes most digits within strings.
 * Every repetition has a bound: an unbounded one could overflow the stack on a number of a million digits.
 */
const SUSPECT = /(?:^|[[:,\s])-?(?:9\d{15}|\d{17}|\d{1,16}\.\d{26}|\d{1,16}(?:\.\d{1,25})?[eE]\+?\d{3})/;

const EVERY_SUSPECT = new RegExp(SUSPECT, 'g');

const FRACTION_OR_EXPONENT = /[.eE]/;

/**
 * Finds an integer literal that a double does not hold exactly, or a number beyond the range of doubles. `JSON.parse`
 * changes such a number silently.
 *
 * @param text valid JSON
 */
export function findInexactNumber(text: string): InexactNumber | undefined {
  for (const place of inexactNumbers(text)) return { path: formatPath(place.path()), source: place.source };
  return undefined;
}

/**
 * Yields every number in a text that a double does not hold exactly, see {@link findInexactNumber}. One pass over the
 * text, and none through its structure when no number looks suspect.
 *
 * @param text valid JSON
 */
export function* inexactNumbers(text: string): Generator<NumberPlace> {
  if (!SUSPECT.test(text)) return;
  const walk = new Walk(text);
  for (const { 0: match, index } of text.matchAll(EVERY_SUSPECT)) {
    const start = index + (/^[-\d]/.test(match) ? 0 : 1);
    if (!walk.moveTo(start)) continue;
    const source = walk.passNumber();
    if (!isExact(source)) yield { source, path: walk.path };
  }
}

/** Writes a path as errors show it: `data.items[2]`. */
export function formatPath(path: JsonPath): string {
  return path
    .map((step, index) => (typeof step === 'number' ? `[${step}]` : `${index === 0 ? '' : '.'}${step}`))
    .join('');
}

/**
 * Returns true when a parsed value contains a number of 2^53 or more: only such a number can have changed. Costs a
 * fifth of parsing the value, and less than a scan of its text.
 *
 * @param value nests no deeper than the stack allows
 */
export function hasLargeNumber(value: unknown): boolean {
  if (typeof value === 'number') return value > Number.MAX_SAFE_INTEGER || value < Number.MIN_SAFE_INTEGER;
  if (typeof value !== 'object' || value === null) return false;
  if (Array.isArray(value)) return value.some(hasLargeNumber);
  // Values of `JSON.parse` have only own members. `Object.keys` would make a list of each object.
  for (const name in value) if (hasLargeNumber((value as Record<string, unknown>)[name])) return true;
  return false;
}

/**
 * Parses JSON and keeps each inexact number as it was written: such a value is a `JSON.rawJSON` object.
 *
 * @param text nests no deeper than the stack allows
 */
export function parseExactly(text: string): unknown {
  const value: unknown = JSON.parse(text);
  if (!hasLargeNumber(value) || findInexactNumber(text) === undefined) return value;
  const keep: Reviver = (_key, value, { source }) =>
    typeof value === 'number' && source !== undefined && !isExact(source) ? rawJson(source) : value;
  return JSON.parse(text, keep as Parameters<typeof JSON.parse>[1]);
}

type Reviver = (key: string, value: unknown, context: { readonly source?: string }) => unknown;

/** Returns true when a value of {@link parseExactly} contains a number that was kept as it was written. */
export function hasKeptNumber(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return isRawJson(value) || Object.values(value).some(hasKeptNumber);
}

/** Not yet in the types of TypeScript. */
const { rawJSON: rawJson, isRawJSON: isRawJson } = JSON as unknown as {
  readonly rawJSON: (text: string) => unknown;
  readonly isRawJSON: (value: unknown) => boolean;
};

function isExact(source: string): boolean {
  const value = Number(source);
  if (!Number.isFinite(value)) return false;
  return FRACTION_OR_EXPONENT.test(source) || source === String(value) || BigInt(source) === BigInt(value);
}

/** True for `0` to `9`, `-`, `+`, `.`, `e` and `E`. */
function isPartOfNumber(unit: number): boolean {
  return (unit >= 0x30 && unit <= 0x39) || NUMBER_SIGNS.has(unit);
}

const NUMBER_SIGNS: ReadonlySet<number> = new Set(Array.from('-+.eE', (sign) => sign.charCodeAt(0)));

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const [OPEN_LIST, CLOSE_LIST] = [0x5b, 0x5d];
const [OPEN_OBJECT, CLOSE_OBJECT] = [0x7b, 0x7d];

/** An array or object that contains the place of a walk. */
interface Container {
  readonly isArray: boolean;
  index: number;
  isAtKey: boolean;
  keyStart: number;
  keyEnd: number;
}

/** Moves forward through a JSON text and tracks the path to the current place. */
class Walk {
  readonly #text: string;
  readonly #containers: Container[] = [];
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** Returns false when `target` is within a string. */
  moveTo(target: number): boolean {
    while (this.#at < target) {
      const unit = this.#text.charCodeAt(this.#at);
      if (unit === QUOTE) this.#passString();
      else this.#pass(unit);
    }
    return this.#at === target;
  }

  /** Moves to the end of the number that begins here, and returns it. */
  passNumber(): string {
    const start = this.#at;
    while (isPartOfNumber(this.#text.charCodeAt(this.#at))) this.#at++;
    return this.#text.slice(start, this.#at);
  }

  readonly path = (maxSteps: number = this.#containers.length): JsonPath =>
    this.#containers
      .slice(0, maxSteps)
      .map((container) => (container.isArray ? container.index : this.#keyOf(container)));

  #passString(): void {
    const end = endOfString(this.#text, this.#at);
    const container = this.#containers.at(-1);
    if (container?.isAtKey === true) {
      container.keyStart = this.#at;
      container.keyEnd = end;
    }
    this.#at = end + 1;
  }

  #pass(unit: number): void {
    this.#at++;
    switch (unit) {
      case OPEN_LIST:
      case OPEN_OBJECT: {
        const isArray = unit === OPEN_LIST;
        this.#containers.push({ isArray, index: 0, isAtKey: !isArray, keyStart: 0, keyEnd: 0 });
        break;
      }
      case CLOSE_LIST:
      case CLOSE_OBJECT:
        this.#containers.pop();
        break;
      case COMMA: {
        const container = this.#containers.at(-1);
        if (container === undefined) break;
        container.index++;
        container.isAtKey = !container.isArray;
        break;
      }
      case COLON: {
        const container = this.#containers.at(-1);
        if (container !== undefined) container.isAtKey = false;
        break;
      }
    }
  }

  #keyOf({ keyStart, keyEnd }: Container): string {
    // A long key is not decoded: it is only shown.
    if (keyEnd - keyStart > MAX_KEY_UNITS * 6)
      return this.#text.slice(keyStart + 1, keyStart + 1 + MAX_KEY_UNITS);
    return (JSON.parse(this.#text.slice(keyStart, keyEnd + 1)) as string).slice(0, MAX_KEY_UNITS);
  }
}

const MAX_KEY_UNITS = 64;
