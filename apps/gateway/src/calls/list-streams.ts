import { type GetStreamsParams, LIMITS, type StreamNames } from '@esdb-gater/types';
import type { NameRange } from '../access/name-ranges.ts';

/** What a caller may see of a store's streams. */
export interface StreamView {
  /** Where to look; see `rangesBelow`. */
  readonly ranges: readonly NameRange[];
  /** Returns whether the caller may see a stream that was found there. */
  isVisible(streamId: string): boolean;
}

/** The fewest names to ask a store for at once: some of them may not be visible. It doubles with each page. */
const LOOK_AHEAD = 100;

/**
 * Returns a page of the streams that a caller may see. It is as full as a page of the store, and `next` is one of its
 * names, never one that the caller may not see.
 *
 * Costs a call of the store for each range, and one for each page of names in a range that are not visible.
 */
export async function listVisibleStreams(
  ask: (params: GetStreamsParams) => Promise<StreamNames>,
  params: GetStreamsParams,
  view: StreamView,
): Promise<StreamNames> {
  const { prefix = '', limit = LIMITS.pageCountDefault } = params;
  const streams: string[] = [];
  for (const range of view.ranges) {
    const begin = commonBeginning(range, prefix);
    if (begin === undefined) continue;
    let { after } = params;
    for (let ahead = LOOK_AHEAD; ; ahead = Math.min(LIMITS.pageCount, 2 * ahead)) {
      // One more than requested shows whether there is more.
      const missing = limit + 1 - streams.length;
      const page = await ask({
        storeId: params.storeId,
        prefix: begin,
        ...(after === undefined ? {} : { after }),
        limit: range.open ? Math.min(LIMITS.pageCount, Math.max(missing, ahead)) : 1,
      });
      for (const streamId of page.streams) {
        if ((range.open || streamId === range.text) && view.isVisible(streamId)) streams.push(streamId);
        if (streams.length > limit)
          return { streams: streams.slice(0, limit), next: streams[limit - 1] as string };
      }
      if (!range.open || page.next === undefined || page.next === after) break;
      after = page.next;
    }
  }
  return { streams };
}

/** Returns the common beginning of all names in the range that begin with `prefix`; undefined when there are none. */
function commonBeginning({ text, open }: NameRange, prefix: string): string | undefined {
  if (text.startsWith(prefix)) return text;
  return open && prefix.startsWith(text) ? prefix : undefined;
}
