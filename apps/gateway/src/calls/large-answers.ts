import { factsOf } from '@esdb-gater/protocol';

/** Methods beside the paged ones whose answers may have a megabyte. */
const LARGE_ANSWERS: ReadonlySet<string> = new Set([
  'getStreams',
  'readSnapshot',
  'getSubscriptions',
  'listParked',
]);

/** Returns whether the answer of a method may have a megabyte or more. */
export function hasLargeAnswer(method: string): boolean {
  return factsOf(method)?.paged === true || LARGE_ANSWERS.has(method);
}
