import { checkFollowStart, firstVersionAfter, positionLost, retryUntilAborted } from '@esdb-gater/primitives';
import type { FollowEventsParams } from '@esdb-gater/protocol';
import {
  type Clock,
  GaterError,
  type RecordedEvent,
  type StorePage,
  type StreamPage,
} from '@esdb-gater/types';
import type { CallMethod, FollowOptions } from '../gater.ts';
import type { StoreWatch } from './store-watch.ts';

const BASE_DELAY_MS = 100;
const MAX_DELAY_MS = 5_000;

/** What was read of a store: the events, and whether there were more. */
interface Page {
  readonly events: readonly RecordedEvent[];
  /** Every wanted event up to here was read. */
  readonly upTo: number;
  readonly atEnd: boolean;
}

export interface StoreFollowComponents {
  readonly call: CallMethod;
  readonly watch: StoreWatch;
  readonly clock: Clock;
  /** Ends the iteration. */
  readonly signal: AbortSignal;
}

/**
 * Follows a store of this process: reads pages up to its end, and again after each commit. It needs no buffer, since the
 * reader asks for each page. The first read fails with its error; later ones are repeated until the store answers.
 *
 * @throws `store_not_found` and others; `invalid_argument` (reason `position_lost`)
 */
export async function* followStore(
  components: StoreFollowComponents,
  params: FollowEventsParams,
  { onCaughtUp }: FollowOptions,
): AsyncGenerator<RecordedEvent, undefined> {
  const { watch, clock, signal } = components;
  const newest = await newestPosition(components, params);
  const { storeId } = params;
  await checkFollowStart(params, newest, (after) => components.call('readAll', { storeId, after, limit: 1 }));
  const read =
    params.streamId === undefined
      ? storeReader(components, params)
      : await streamReader(components, params, newest);
  let position = params.after ?? 0;
  let isCaughtUp = false;
  while (!signal.aborted) {
    const { commits } = watch;
    const page = await retryUntilAborted(() => read(position), {
      clock,
      signal,
      backoff: (failures) => Math.min(BASE_DELAY_MS * 2 ** failures, MAX_DELAY_MS),
      onFailure: (error) => {
        if (!GaterError.is(error) || !error.retriable) throw error;
      },
    });
    if (page === undefined) return;
    for (const event of page.events) {
      yield event;
      if (signal.aborted) return;
    }
    position = Math.max(position, page.upTo);
    if (!page.atEnd) continue;
    if (!isCaughtUp) onCaughtUp?.(position);
    isCaughtUp = true;
    await watch.after(commits, signal);
  }
}

async function newestPosition(
  { call, watch }: StoreFollowComponents,
  { storeId }: FollowEventsParams,
): Promise<number> {
  const after = Number.MAX_SAFE_INTEGER;
  const { lastPosition } = await watch.share('newest', () => call('readAll', { storeId, after, limit: 1 }));
  return lastPosition;
}

function storeReader(
  { call, watch }: StoreFollowComponents,
  { storeId, query }: FollowEventsParams,
): (position: number) => Promise<Page> {
  return async (after) => {
    const wanted = { storeId, after, ...(query === undefined ? {} : { query }) };
    const { events, lastPosition, next }: StorePage = await watch.share(JSON.stringify(wanted), () =>
      call('readAll', wanted),
    );
    if (lastPosition < after) throw positionLost(after, lastPosition);
    return { events, upTo: lastPosition, atEnd: next === undefined };
  };
}

/** Reads a stream by versions, since its pages do not say to which position they reach. */
async function streamReader(
  components: StoreFollowComponents,
  params: FollowEventsParams,
  newest: number,
): Promise<(position: number) => Promise<Page>> {
  const { watch } = components;
  const { storeId, streamId = '', after: start = 0 } = params;
  const readFrom = (startVersion: number, count: number): Promise<StreamPage> =>
    watch.share(`${startVersion} ${count} ${streamId}`, () =>
      components
        .call('getEvents', { storeId, streamId, startVersion, count })
        .catch((error: unknown) => emptyOf(error)),
    );
  let version = await firstVersionAfter<never>(start, (from) => readFrom(from, 1));
  return async (position) => {
    const { events, next } = await readFrom(version, 100);
    const last = events.at(-1);
    if (last !== undefined) version = last.version + 1;
    const atEnd = next === undefined;
    // Everything up to `newest` was there before the first read.
    return { events, upTo: Math.max(last?.position ?? position, atEnd ? newest : 0), atEnd };
  };
}

/** A stream that does not exist may come into being, and a deleted one begin again. */
function emptyOf(error: unknown): StreamPage {
  if (!GaterError.is(error)) throw error;
  if (error.code !== 'stream_not_found' && error.code !== 'stream_deleted') throw error;
  return { events: [], version: -1 };
}
