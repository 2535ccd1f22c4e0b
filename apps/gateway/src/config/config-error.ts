import { type GaterError, invalidArgument } from '@esdb-gater/types';

const SHOWN_UNITS = 80;

/** The error of a wrong key or value: one line that names the key. */
export function configError(key: string, problem: string): GaterError {
  return invalidArgument('configuration', `${oneLine(key)}: ${oneLine(problem)}`, { key });
}

/** `text` without line breaks and control characters, so that it stays one line on any terminal. */
export function oneLine(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is replaced
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, ' ').trim();
}

/** A value for a message, cut short. */
export function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length <= SHOWN_UNITS ? text : `${text.slice(0, SHOWN_UNITS)}…`;
}
