import { once } from 'node:events';
import type { JsonValue } from '@esdb-gater/types';

/**
 * What a terminal might obey or hide although JSON lets it stand: DEL, C1 controls, line separators, and the
 * marks that turn the direction of text.
 */
const UNPRINTABLE = /[\u007f-\u009f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** Writes a value as one line of JSON in which nothing can move the cursor or fake another line. */
export function jsonLine(value: unknown): string {
  return (JSON.stringify(value) ?? 'null').replace(UNPRINTABLE, escaped);
}

/** Writes a text for people on one line: control characters become `\u` escapes. */
export function plain(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  return text.replace(/[\u0000-\u001f]/g, escaped).replace(UNPRINTABLE, escaped);
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** Writes the results of a command. */
export interface Output {
  /** True at a terminal without `--json`: a person reads. */
  readonly isForPeople: boolean;
  /** Columns of the terminal. */
  readonly columns: number;
  /** Writes one line, and waits while the reader is slower. @throws the reason of the signal, when it ends the wait */
  line(text: string): Promise<void>;
  /** Writes `value` as JSON with `--json`, else `text`. */
  result(value: JsonValue | object, text: string): Promise<void>;
}

export function createOutput(
  stream: NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number },
  json: boolean,
  signal: AbortSignal,
): Output {
  const line = async (text: string): Promise<void> => {
    if (!stream.write(`${text}\n`)) await once(stream, 'drain', { signal });
  };
  return {
    isForPeople: stream.isTTY === true && !json,
    columns: stream.columns ?? 80,
    line,
    result: (value, text) => line(json ? jsonLine(value) : plain(text)),
  };
}
