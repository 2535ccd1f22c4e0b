import { invalidOption, parseRfc3339 } from '@esdb-gater/primitives';
import type { RecordedEvent, StorePage, StreamPage } from '@esdb-gater/types';
import type { AllEventsParams, CallMethod, CallOptions, EventsParams } from './gater.ts';

/** The part of a page that reading on needs. */
type Page = Pick<StorePage | StreamPage, 'events' | 'next'>;

/** What becomes of an event: it is passed on, left out, or ends the iteration. */
type Verdict = 'take' | 'skip' | 'end';

/** Iterates over the events of a stream from `startVersion`. @throws `invalid_argument` (reason `until`) */
export function streamEvents(
  call: CallMethod,
  { until, ...params }: EventsParams,
  options?: CallOptions,
): AsyncGenerator<RecordedEvent, undefined> {
  const backward = params.direction === 'backward';
  const read = (next: number | undefined): Promise<Page> =>
    call('getEvents', next === undefined ? params : { ...params, startVersion: next }, options);
  return readAhead(read, until, backward ? 'skip' : 'end');
}

/** Iterates over the events of a store after `after`. @throws `invalid_argument` (reason `until`) */
export function storeEvents(
  call: CallMethod,
  { until, ...params }: AllEventsParams,
  options?: CallOptions,
): AsyncGenerator<RecordedEvent, undefined> {
  const read = (next: number | undefined): Promise<Page> =>
    call('readAll', next === undefined ? params : { ...params, after: next }, options);
  return readAhead(read, until, 'end');
}

/**
 * Yields the events of all pages. Asks for the next page as soon as the second event of a page is wanted: it is on its way
 * while the caller works on the present one, and who takes only the first event does not cause it to be read. At most one
 * page waits.
 *
 * @param later what becomes of an event after `until`
 */
async function* readAhead(
  read: (next: number | undefined) => Promise<Page>,
  until: string | undefined,
  later: Verdict,
): AsyncGenerator<RecordedEvent, undefined> {
  const isLater = laterThan(until);
  const verdictOn = (event: RecordedEvent): Verdict => (isLater(event) ? later : 'take');
  let page = await read(undefined);
  for (;;) {
    let following: Promise<Page> | undefined;
    const ask = (): void => {
      if (following !== undefined || page.next === undefined) return;
      const last = page.events.at(-1);
      if (last !== undefined && verdictOn(last) === 'end') return;
      following = read(page.next);
      // Its error is thrown when its turn comes, and is nobody's when the caller stops before.
      following.catch(() => undefined);
    };
    for (const event of page.events) {
      const verdict = verdictOn(event);
      if (verdict === 'end') return;
      if (verdict === 'skip') continue;
      yield event;
      ask();
    }
    ask();
    if (following === undefined) return;
    page = await following;
  }
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
