import { type GaterError, invalidArgument, type StorePage, type StreamPage } from '@esdb-gater/types';

/** Where a follow begins: after a position, which `afterId` proves. */
export interface FollowStart {
  readonly streamId?: string;
  /** An exclusive position. @default 0 */
  readonly after?: number;
  /** The id of the event at `after`. */
  readonly afterId?: string;
}

/** The error of a follow whose store no longer has the history of its position. */
export function positionLost(after: number, newest: number): GaterError {
  return invalidArgument(
    'position_lost',
    `the store no longer has what it had at position ${after} (restored, or begun anew); follow from an earlier position`,
    { after, newest },
  );
}

/**
 * Checks that a store has the position that a follow begins after. Costs a read of one event when `afterId` proves it.
 *
 * @param newest the newest position of the store
 * @param readAfter reads one event after a position
 * @throws `invalid_argument` (reason `position_lost`), and what `readAfter` throws
 */
export async function checkFollowStart(
  { streamId, after = 0, afterId }: FollowStart,
  newest: number,
  readAfter: (position: number) => Promise<Pick<StorePage, 'events'>>,
): Promise<void> {
  if (after > newest) throw positionLost(after, newest);
  if (afterId === undefined || after === 0) return;
  const { events } = await readAfter(after - 1);
  const event = events[0];
  // An event of another stream proves nothing to those who may not read that stream.
  const isThere =
    event?.position === after &&
    event.id.toLowerCase() === afterId.toLowerCase() &&
    (streamId === undefined || event.streamId === streamId);
  if (!isThere) throw positionLost(after, newest);
}

/**
 * Returns the version of the first event of a stream after a position; of a stream that does not exist, 0. Costs a read of
 * one event for each halving of the stream.
 *
 * @param readFrom reads one event from a version on; undefined ends the search, and is then the result
 */
export async function firstVersionAfter<Ended extends undefined = never>(
  position: number,
  readFrom: (version: number) => Promise<Pick<StreamPage, 'events' | 'version'> | Ended>,
): Promise<number | Ended> {
  if (position === 0) return 0;
  const first = await readFrom(0);
  if (first === undefined) return first;
  let low = first.events[0]?.version ?? 0;
  // Positions grow along the versions of a stream.
  let high = first.version + 1;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const page = await readFrom(middle);
    if (page === undefined) return page;
    const event = page.events[0];
    // The stream may have been deleted in between.
    if (event === undefined || event.position > position) high = middle;
    else low = event.version + 1;
  }
  return low;
}
