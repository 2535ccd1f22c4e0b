import { invalidArgument, LIMITS, type StreamAppend } from '@esdb-gater/types';
import { checkStreamId } from './check-params.ts';
import { encodeEvents } from './encode-event.ts';
import { resolveExpectedVersion } from './expected-version.ts';
import type { AppendRequest } from './plan-append.ts';

/**
 * Checks and encodes the appends of one `appendToStreams`.
 *
 * @throws `invalid_argument` (reasons `appends` for a stream that is named twice, `events` for more than 1 000 events in all,
 * and those of `encodeEvents`), `payload_too_large`
 */
export function encodeAppends(appends: readonly StreamAppend[], nowMs: number): AppendRequest[] {
  if (!Array.isArray(appends) || appends.length < 1 || appends.length > LIMITS.eventsPerAppend) {
    throw invalidArgument('appends', `appends must be an array of 1 to ${LIMITS.eventsPerAppend} appends`);
  }
  const streams = new Set<string>();
  let count = 0;
  for (const { streamId, events } of appends as readonly StreamAppend[]) {
    checkStreamId(streamId);
    if (streams.has(streamId)) {
      throw invalidArgument(
        'appends',
        `appends must have each stream once, got ${JSON.stringify(streamId)} twice`,
      );
    }
    streams.add(streamId);
    count += Array.isArray(events) ? events.length : 0;
  }
  if (count > LIMITS.eventsPerAppend) {
    throw invalidArgument(
      'events',
      `appends must have at most ${LIMITS.eventsPerAppend} events in all, got ${count}`,
    );
  }
  return appends.map(({ streamId, expectedVersion, events }: StreamAppend) => ({
    streamId,
    expectedVersion: resolveExpectedVersion(expectedVersion),
    // Without events an append only checks the version of its stream.
    events: Array.isArray(events) && events.length === 0 ? [] : encodeEvents(events, nowMs),
  }));
}
