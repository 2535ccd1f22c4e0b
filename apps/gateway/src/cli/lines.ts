import { LIMITS } from '@esdb-gater/types';

/** A line of an input, counted from 1. */
export interface InputLine {
  readonly number: number;
  readonly text: string;
  /** Bytes of the input up to and with this line. */
  readonly bytesRead: number;
}

/** Longer than any valid line can be: an event of 1 MiB, its metadata and tags, each character escaped. */
const MAX_LINE_BYTES = LIMITS.frameBytes;

/**
 * The lines of a byte stream that are not blank. Bad UTF-8 and a line over 16 MiB end it with an error that
 * names the line; memory is bounded by one line.
 */
export async function* linesOf(input: AsyncIterable<Uint8Array>): AsyncGenerator<InputLine> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let parts: Uint8Array[] = [];
  let held = 0;
  let number = 0;
  let bytesRead = 0;

  const take = (): InputLine | undefined => {
    number += 1;
    bytesRead += held;
    const bytes = parts.length === 1 ? (parts[0] as Uint8Array) : Buffer.concat(parts);
    parts = [];
    held = 0;
    let text: string;
    try {
      text = decoder.decode(bytes).trim();
    } catch {
      throw new LineError(number, 'is not valid UTF-8');
    }
    return text === '' ? undefined : { number, text, bytesRead };
  };

  for await (const chunk of input) {
    let start = 0;
    for (let end = chunk.indexOf(10, start); end !== -1; end = chunk.indexOf(10, start)) {
      parts.push(chunk.subarray(start, end + 1));
      held += end + 1 - start;
      start = end + 1;
      const line = take();
      if (line !== undefined) yield line;
    }
    if (start < chunk.length) {
      parts.push(chunk.subarray(start));
      held += chunk.length - start;
    }
    if (held > MAX_LINE_BYTES) throw new LineError(number + 1, `is longer than ${MAX_LINE_BYTES} bytes`);
  }
  if (held > 0) {
    const line = take();
    if (line !== undefined) yield line;
  }
}

/** A line that cannot be taken, by its number. */
export class LineError extends Error {
  readonly number: number;

  constructor(number: number, what: string) {
    super(`line ${number} ${what}`);
    this.number = number;
  }
}

/** The JSON of a line. @throws LineError */
export function parseLine(line: InputLine): unknown {
  try {
    return JSON.parse(line.text);
  } catch {
    throw new LineError(line.number, 'is not valid JSON');
  }
}
