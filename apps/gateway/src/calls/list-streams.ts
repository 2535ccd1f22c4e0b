import { type GetStreamsParams, LIMITS, type StreamNames } from '@esdb-gater/types';
import type { NameRange } from '../access/name-ranges.ts';

/** What a caller may see of a store's streams. */
export interface StreamView {
  /** Where to look, see `rangesBelow`. */
  readonly ranges: readonly NameRange[];
  /** Whether a stream that lies there is the caller's to see. */
  isVisible(streamId: string): boolean;
}

/** Names to ask a store for at once where some may not be the caller's to see. */
const LOOK_AHEAD = 100;

/**
 * A page of the streams that a caller may see. It is as full as one of the store's own, and `next` is one of its
 * names, never one that the caller may not know of.
 *
 * Costs a call of the store for each range, of which there are at most as many as a token has grants.
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
    for (;;) {
      // One more than wanted tells whether there is more.
      const missing = limit + 1 - streams.length;
      const page = await ask({
        storeId: params.storeId,
        prefix: begin,
        ...(after === undefined ? {} : { after }),
        limit: range.open ? Math.min(LIMITS.pageCount, Math.max(missing, LOOK_AHEAD)) : 1,
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

/** What all names begin with that lie in the range and begin with `prefix`; undefined when there are none. */
function commonBeginning({ text, open }: NameRange, prefix: string): string | undefined {
  if (text.startsWith(prefix)) return text;
  return open && prefix.startsWith(text) ? prefix : undefined;
}
