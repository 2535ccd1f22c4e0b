import type { GetEventsParams, ReadAllParams, RecordedEvent, StorePage, StreamPage } from '@esdb-gater/types';
import type { CallMethod, CallOptions } from './gater.ts';

/** Iterates over the events of a stream from `startVersion`. Reads a page when the previous one is used up. */
export async function* streamEvents(
  call: CallMethod,
  params: GetEventsParams,
  options?: CallOptions,
): AsyncGenerator<RecordedEvent, undefined> {
  let next: number | undefined = params.startVersion;
  do {
    const from = next === undefined ? params : { ...params, startVersion: next };
    const page: StreamPage = await call('getEvents', from, options);
    yield* page.events;
    next = page.next;
  } while (next !== undefined);
}

/** Iterates over the events of a store after `after`. */
export async function* storeEvents(
  call: CallMethod,
  params: ReadAllParams,
  options?: CallOptions,
): AsyncGenerator<RecordedEvent, undefined> {
  let next: number | undefined = params.after;
  do {
    const from = next === undefined ? params : { ...params, after: next };
    const page: StorePage = await call('readAll', from, options);
    yield* page.events;
    next = page.next;
  } while (next !== undefined);
}
