import {
  formatPath,
  hasLargeNumber,
  type InexactNumber,
  inexactNumber,
  inexactNumbers,
  type JsonPath,
} from '@esdb-gater/primitives';
import type { ExactNumbers } from '../rpc/json-rpc.ts';

/** The members whose content callers make up: nothing in them is ever changed. All others have checks of their own. */
const CONTENT: ReadonlySet<unknown> = new Set(['data', 'metadata', 'message', 'record']);

/** The lists whose items have such members. */
const LISTS: ReadonlySet<unknown> = new Set(['appends', 'events', 'snapshots']);

/** `appends[0].events[0].data`: no content begins deeper. */
const MAX_STEPS = 5;

/** Returns true when a path in the parameters or the result of a method leads into the content of a caller. */
export function isContentPath(path: JsonPath): boolean {
  let at = 0;
  while (LISTS.has(path[at])) at += 2;
  return CONTENT.has(path[at]);
}

/**
 * Finds the first inexact number in the content of a JSON text that is the parameters of a method.
 *
 * @param text valid JSON
 */
export function findContentNumber(text: string): InexactNumber | undefined {
  for (const { path, source } of inexactNumbers(text)) {
    if (isContentPath(path(MAX_STEPS))) return { path: formatPath(path()), source };
  }
  return undefined;
}

/**
 * Finds the first inexact number in the content of each element of a JSON-RPC message. The key of a message that is not
 * a batch is 0, and paths begin within `params` or `result`.
 *
 * @param text valid JSON
 */
export function findMessageNumbers(text: string): ReadonlyMap<number, InexactNumber> {
  const found = new Map<number, InexactNumber>();
  for (const { path, source } of inexactNumbers(text)) {
    // The place in a batch, and `params` or `result`.
    const start = path(MAX_STEPS + 2);
    const [element, steps] = typeof start[0] === 'number' ? [start[0], 1] : [0, 0];
    if (found.has(element) || !BODIES.has(start[steps])) continue;
    if (isContentPath(start.slice(steps + 1))) {
      found.set(element, { path: formatPath(path().slice(steps + 1)), source });
    }
  }
  return found;
}

const BODIES: ReadonlySet<unknown> = new Set(['params', 'result']);

/** The option `exactNumbers` of a peer whose received content is stored or passed on. */
export const exactNumbers: ExactNumbers = Object.freeze({
  find: (text: string, value: unknown) => (hasLargeNumber(value) ? findMessageNumbers(text) : undefined),
  error: (number: InexactNumber) => inexactNumber(number),
});
