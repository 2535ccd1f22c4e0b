import { findInexactNumber, inexactNumber, JSON_DEPTH, nestsDeeper } from '@esdb-gater/primitives';
import { GaterError, LIMITS } from '@esdb-gater/types';

/** Where a value stands in an input. */
export interface InputPlace {
  /** The line where it begins, from 1. */
  readonly number: number;
  /** The item of a JSON array, from 1; absent in NDJSON. */
  readonly item?: number;
}

/** One JSON value of an input: a line of NDJSON, or an item of a JSON array. */
export interface InputLine extends InputPlace {
  readonly text: string;
}

/** Longer than any valid line can be: an event of 1 MiB with each character escaped. */
export const MAX_LINE_BYTES: number = LIMITS.frameBytes;

/** So many pieces of one line are joined: a sender that writes byte by byte costs no object per byte. */
const MAX_PIECES = 1_024;

/** Strict: what is not UTF-8 is an error instead of replacement characters. */
const UTF8 = new TextDecoder('utf-8', { fatal: true });

/**
 * Splits a byte stream into its lines, without blank ones.
 *
 * @throws LineError for bad UTF-8 and for a line over 16 MiB, so that memory is bounded by one line
 */
export async function* linesOf(input: AsyncIterable<Uint8Array>): AsyncGenerator<InputLine> {
  const line = new ByteBuffer();
  let number = 1;
  for await (const chunk of input) {
    let start = 0;
    for (let end = chunk.indexOf(0x0a, start); end !== -1; end = chunk.indexOf(0x0a, start)) {
      line.append(chunk.subarray(start, end), { number });
      const text = line.take({ number });
      if (text !== '') yield { number, text };
      number += 1;
      start = end + 1;
    }
    line.append(chunk.subarray(start), { number });
  }
  const text = line.take({ number });
  if (text !== '') yield { number, text };
}

/** Collects the bytes of one value, at most {@link MAX_LINE_BYTES}. */
export class ByteBuffer {
  #pieces: Uint8Array[] = [];
  #bytes = 0;

  /** @throws LineError when the value gets too long */
  append(bytes: Uint8Array, place: InputPlace): void {
    if (bytes.length === 0) return;
    this.#bytes += bytes.length;
    if (this.#bytes > MAX_LINE_BYTES) {
      throw new LineError(place, `must be at most ${MAX_LINE_BYTES} bytes long`);
    }
    this.#pieces.push(bytes);
    if (this.#pieces.length >= MAX_PIECES) this.#pieces = [Buffer.concat(this.#pieces)];
  }

  /** Returns the text of the value without white space around it, and begins the next one. @throws LineError */
  take(place: InputPlace): string {
    const pieces = this.#pieces;
    this.#pieces = [];
    this.#bytes = 0;
    try {
      return UTF8.decode(pieces.length === 1 ? pieces[0] : Buffer.concat(pieces)).trim();
    } catch {
      throw new LineError(place, 'is not valid UTF-8');
    }
  }
}

/** The refusal of one line of an input. */
export class LineError extends Error {
  readonly line: number;
  /** The error to show: with the line in its message and its details. */
  readonly refusal: GaterError;

  /** @param cause the refusal of what the line contains; its code and details are kept */
  constructor(place: InputPlace, what: string, cause?: GaterError) {
    super(`${nameOf(place)} ${what}`);
    this.line = place.number;
    const item = place.item === undefined ? {} : { item: place.item };
    const details = { reason: 'line', ...cause?.details, line: place.number, ...item };
    this.refusal = new GaterError(cause?.code ?? 'invalid_argument', this.message, {
      details,
      ...(cause === undefined ? {} : { cause }),
    });
  }
}

function nameOf({ number, item }: InputPlace): string {
  return item === undefined ? `line ${number}` : `item ${item} (line ${number})`;
}

/**
 * Parses the JSON of a line.
 *
 * @param hintFor says what to do with a text that is not JSON
 * @throws LineError, also for a number that parsing would change
 */
export function parseLine(line: InputLine, hintFor: (text: string) => string = () => ''): unknown {
  // What nests deeper than any message may is not worth the memory that parsing it takes.
  if (nestsDeeper(line.text, JSON_DEPTH.frame)) throw new LineError(line, 'is nested too deeply');
  let value: unknown;
  try {
    value = JSON.parse(line.text);
  } catch {
    const hint = hintFor(line.text);
    throw new LineError(line, `is not valid JSON${hint === '' ? '' : `: ${hint}`}`);
  }
  const found = findInexactNumber(line.text);
  if (found === undefined) return value;
  const refusal = inexactNumber(found);
  throw new LineError(line, `has a wrong number: ${refusal.message}`, refusal);
}
