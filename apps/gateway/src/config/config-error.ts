import { type GaterError, invalidArgument } from '@esdb-gater/types';
import type { Problem } from './expectation.ts';
import type { ConfigKey } from './keys.ts';

const SHOWN_UNITS = 80;

/**
 * Creates the error of a wrong key or value: one line that begins with the key.
 *
 * @param problem the problem with the key, such as "must be …, got …"
 */
export function configError(key: string, problem: string): GaterError {
  return invalidArgument('configuration', `\`${oneLine(key)}\` ${oneLine(problem)}`, { key });
}

/** Creates the error of a value that does not fit its key; `source` is the name of the key in its source. */
export function wrongValue(key: ConfigKey, source: string, given: unknown, problem?: Problem): GaterError {
  const { expected, at } = problem ?? { expected: key.expected, at: '' };
  const got = key.secret ? '' : `, got ${shown(given)}`;
  return configError(source, `must be ${expected}${at === '' ? '' : ` at ${at}`}${got}`);
}

/** Replaces line breaks and control characters, so that `text` stays one line on any terminal. */
export function oneLine(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: replaces control characters on purpose
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, ' ').trim();
}

/** Formats a value for a message, cut short. */
function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length <= SHOWN_UNITS ? text : `${text.slice(0, SHOWN_UNITS)}…`;
}
