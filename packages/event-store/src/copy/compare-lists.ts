import { isDeepStrictEqual } from 'node:util';
import { type GaterError, invalidArgument } from '@esdb-gater/types';

/** Returns the next page of a list after its last item, or the first page; an empty one at the end. */
export type ReadPage<Item> = (last: Item | undefined) => Promise<readonly Item[]>;

/** Yields the items of a list that comes in pages. */
export async function* itemsOf<Item>(read: ReadPage<Item>): AsyncGenerator<Item, undefined> {
  for (let page = await read(undefined); page.length > 0; page = await read(page.at(-1))) yield* page;
  return undefined;
}

/**
 * Compares two lists that come in pages of any size.
 *
 * @throws `invalid_argument` (reason `target`) when they differ
 */
export async function compareLists<Item>(
  what: string,
  one: ReadPage<Item>,
  other: ReadPage<Item>,
): Promise<void> {
  const theirs = itemsOf(one);
  const ours = itemsOf(other);
  for (;;) {
    const [left, right] = [await theirs.next(), await ours.next()];
    if (left.done === true && right.done === true) return;
    if (!isDeepStrictEqual(left.value, right.value)) throw differs(`the ${what} are not the same`);
  }
}

/** Returns the error for a copy that is not like its source. */
export function differs(what: string): GaterError {
  return invalidArgument('target', `the copy differs from the source: ${what}; begin with an empty target`);
}
