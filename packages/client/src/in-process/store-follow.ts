import { retryUntilAborted } from '@esdb-gater/primitives';
import type { FollowEventsParams } from '@esdb-gater/protocol';
import {
  type Clock,
  GaterError,
  invalidArgument,
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
  await checkStart(components, params, newest);
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

/** @throws `invalid_argument` (reason `position_lost`) when the store does not have the history of the position */
async function checkStart(
  { call }: StoreFollowComponents,
  { storeId, streamId, after = 0, afterId }: FollowEventsParams,
  newest: number,
): Promise<void> {
  if (after > newest) throw positionLost(after, newest);
  if (afterId === undefined || after === 0) return;
  const { events } = await call('readAll', { storeId, after: after - 1, limit: 1 });
  const event = events[0];
  const isThere =
    event?.position === after &&
    event.id.toLowerCase() === afterId.toLowerCase() &&
    (streamId === undefined || event.streamId === streamId);
  if (!isThere) throw positionLost(after, newest);
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
  let version = start === 0 ? 0 : await firstVersionAfter(readFrom, start);
  return async (position) => {
    const { events, next } = await readFrom(version, 100);
    const last = events.at(-1);
    if (last !== undefined) version = last.version + 1;
    const atEnd = next === undefined;
    // Everything up to `newest` was there before the first read.
    return { events, upTo: Math.max(last?.position ?? position, atEnd ? newest : 0), atEnd };
  };
}

/** Finds the first event of a stream after a position by halving. */
async function firstVersionAfter(
  readFrom: (version: number, count: number) => Promise<StreamPage>,
  position: number,
): Promise<number> {
  const { events, version } = await readFrom(0, 1);
  let low = events[0]?.version ?? 0;
  let high = version + 1;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const event = (await readFrom(middle, 1)).events[0];
    if (event === undefined || event.position > position) high = middle;
    else low = event.version + 1;
  }
  return low;
}

/** A stream that does not exist may come into being, and a deleted one begin again. */
function emptyOf(error: unknown): StreamPage {
  if (!GaterError.is(error)) throw error;
  if (error.code !== 'stream_not_found' && error.code !== 'stream_deleted') throw error;
  return { events: [], version: -1 };
}

function positionLost(after: number, newest: number): GaterError {
  return invalidArgument(
    'position_lost',
    `the store no longer has what it had at position ${after} (restored, or begun anew); follow from an earlier position`,
    { after, newest },
  );
}
