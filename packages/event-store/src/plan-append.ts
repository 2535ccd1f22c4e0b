import { type AppendResult, invalidArgument, type StreamAppendResult } from '@esdb-gater/types';
import type { EncodedBytes, EncodedEvent } from './encode-event.ts';
import { checkAppendVersion } from './expected-version.ts';
import { jsonTextEqual } from './json-equal.ts';
import { sameMetadata } from './same-metadata.ts';
import type { StreamState } from './stream-state.ts';

/** An event of a stream with the members that an append is compared with. */
export interface KnownEvent {
  readonly version: number;
  readonly position: number;
  readonly type: string;
  readonly data: string;
  readonly bytes?: EncodedBytes;
  readonly metadata: string;
  readonly tags: string;
}

export interface AppendRequest {
  readonly streamId: string;
  readonly expectedVersion: number;
  readonly events: readonly EncodedEvent[];
}

/** The decision about an append: write the events from `firstVersion` on, or return the first result again. */
export type AppendPlan =
  | { readonly kind: 'write'; readonly firstVersion: number }
  | { readonly kind: 'duplicate'; readonly result: AppendResult };

/** Returns the form in which event ids are compared: UUIDs are case-insensitive. */
export function idKey(id: string): string {
  return id.toLowerCase();
}

/** The decision about appends to several streams, in their order. */
export type AppendsPlan =
  | { readonly kind: 'write'; readonly firstVersions: readonly number[] }
  | { readonly kind: 'duplicate'; readonly results: readonly StreamAppendResult[] };

/** Returns the event of a stream with that `idKey`. */
type FindKnown = (idKey: string) => KnownEvent | undefined;

/**
 * Decides what an append does. Ids are checked first, so that a retry is recognised although the version has changed.
 *
 * @param known returns the event with that `idKey` in the stream. Ids of other streams do not count: they would tell one
 * tenant of another's events, and a predictable id could be taken beforehand.
 * @throws `invalid_argument` (reason `id_conflict`), `wrong_expected_version`, `stream_deleted`
 */
export function planAppend(request: AppendRequest, stream: StreamState, known: FindKnown): AppendPlan {
  const result = findDuplicate(request.events, known);
  if (result !== undefined) return { kind: 'duplicate', result };
  checkAppendVersion(request.streamId, request.expectedVersion, stream);
  return { kind: 'write', firstVersion: stream.version + 1 };
}

/**
 * Decides what appends to several streams do: all of them are written, or all are duplicates. Ids are checked first, then the
 * versions of the streams.
 *
 * @param stateOf returns the state of the stream of a request
 * @param knownIn returns what finds the events of that stream
 * @throws `invalid_argument` (reason `id_conflict`), `wrong_expected_version`, `stream_deleted`
 */
export function planAppends(
  requests: readonly AppendRequest[],
  stateOf: (index: number) => StreamState,
  knownIn: (index: number) => FindKnown,
): AppendsPlan {
  const found = requests.map(({ events }, index) => findDuplicate(events, knownIn(index)));
  const old = found.filter((result) => result !== undefined).length;
  if (old > 0) {
    const withEvents = requests.filter(({ events }) => events.length > 0).length;
    if (old < withEvents) {
      throw invalidArgument(
        'id_conflict',
        `the event ids of ${old} of ${withEvents} appends already exist, the others do not; nothing was written`,
      );
    }
    const results = requests.map(
      (request, index) => found[index] ?? checkedResult(request, stateOf(index), true),
    );
    return { kind: 'duplicate', results };
  }
  const firstVersions = requests.map(({ streamId, expectedVersion }, index) => {
    const stream = stateOf(index);
    checkAppendVersion(streamId, expectedVersion, stream);
    return stream.version + 1;
  });
  return { kind: 'write', firstVersions };
}

/**
 * Returns the result of an append without events, which only checks the version of its stream. When the call is repeated,
 * an exact version that was expected is still the answer, since the first call found it.
 */
export function checkedResult(
  { expectedVersion }: AppendRequest,
  stream: StreamState,
  duplicate = false,
): StreamAppendResult {
  const version = duplicate && expectedVersion >= 0 ? expectedVersion : stream.version;
  return { version, count: 0, duplicate };
}

/** Returns the first result of an append whose events are all there, and undefined when none is. */
function findDuplicate(events: readonly EncodedEvent[], known: FindKnown): AppendResult | undefined {
  checkDistinctIds(events);
  let old = 0;
  let last: KnownEvent | undefined;
  for (const event of events) {
    const found = known(idKey(event.id));
    if (found === undefined) continue;
    old += 1;
    if (!sameContent(found, event))
      throw idConflict(event.id, 'already exists in the stream with other content');
    if (last !== undefined && found.version <= last.version) {
      throw idConflict(event.id, 'already exists in the stream in another order');
    }
    last = found;
  }
  if (last === undefined) return undefined;
  if (old < events.length) {
    throw invalidArgument(
      'id_conflict',
      `${old} of ${events.length} event ids already exist in the stream, the others do not; nothing was written`,
    );
  }
  const { version, position } = last;
  return { version, position, count: events.length, duplicate: true };
}

function checkDistinctIds(events: readonly EncodedEvent[]): void {
  if (events.length === 1) return;
  const seen = new Set<string>();
  for (const { id } of events) {
    const key = idKey(id);
    if (seen.has(key)) throw idConflict(id, 'appears twice in one append');
    seen.add(key);
  }
}

function sameContent(found: KnownEvent, event: EncodedEvent): boolean {
  return (
    found.type === event.type &&
    sameData(found, event) &&
    sameMetadata(found.metadata, event.metadata) &&
    jsonTextEqual(found.tags, event.tags)
  );
}

function sameData(found: KnownEvent, event: EncodedEvent): boolean {
  if (found.bytes === undefined || event.bytes === undefined) {
    return found.bytes === event.bytes && jsonTextEqual(found.data, event.data);
  }
  return found.bytes.base64 === event.bytes.base64 && found.bytes.contentType === event.bytes.contentType;
}

function idConflict(id: string, what: string): Error {
  return invalidArgument('id_conflict', `the event id ${id} ${what}; nothing was written`, { id });
}
