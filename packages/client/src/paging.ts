import { invalidOption, parseRfc3339 } from '@esdb-gater/primitives';
import type { RecordedEvent, StorePage, StreamPage } from '@esdb-gater/types';
import type { AllEventsParams, CallMethod, CallOptions, EventsParams } from './gater.ts';

/**
 * Iterates over the events of a stream from `startVersion`. Reads a page when the previous one is used up.
 *
 * @throws `invalid_argument` (reason `until`)
 */
export async function* streamEvents(
  call: CallMethod,
  { until, ...params }: EventsParams,
  options?: CallOptions,
): AsyncGenerator<RecordedEvent, undefined> {
  const isLater = laterThan(until);
  const backward = params.direction === 'backward';
  let next: number | undefined = params.startVersion;
  do {
    const from = next === undefined ? params : { ...params, startVersion: next };
    const page: StreamPage = await call('getEvents', from, options);
    for (const event of page.events) {
      if (!isLater(event)) yield event;
      else if (!backward) return;
    }
    next = page.next;
  } while (next !== undefined);
}

/** Iterates over the events of a store after `after`. @throws `invalid_argument` (reason `until`) */
export async function* storeEvents(
  call: CallMethod,
  { until, ...params }: AllEventsParams,
  options?: CallOptions,
): AsyncGenerator<RecordedEvent, undefined> {
  const isLater = laterThan(until);
  let next: number | undefined = params.after;
  do {
    const from = next === undefined ? params : { ...params, after: next };
    const page: StorePage = await call('readAll', from, options);
    for (const event of page.events) {
      if (isLater(event)) return;
      yield event;
    }
    next = page.next;
  } while (next !== undefined);
}

/** Returns what tells events that were recorded after a time; their times never decrease in a store. */
function laterThan(until: string | undefined): (event: RecordedEvent) => boolean {
  if (until === undefined) return () => false;
  const ms = parseRfc3339(until);
  if (ms === undefined) {
    throw invalidOption('until', until, 'an RFC 3339 time, such as 2026-01-31T12:00:00Z');
  }
  return ({ epochUs }) => Math.floor(epochUs / 1_000) > ms;
}
