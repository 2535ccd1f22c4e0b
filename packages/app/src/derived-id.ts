import { uuidV5 } from '@esdb-gater/primitives';

/**
 * Returns the id of an effect: a UUIDv5 of its cause and of what tells it apart from the other effects of that cause. The same
 * arguments always give the same id, so that an effect that is repeated can be recognised.
 */
export function derivedId(cause: string, ...parts: readonly (string | number)[]): string {
  return uuidV5(`esdb-gater:effect:${JSON.stringify([cause, ...parts])}`);
}
