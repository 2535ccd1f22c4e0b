import { type AppendResult, invalidArgument } from '@esdb-gater/types';
import type { EncodedEvent } from './encode-event.ts';
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

/**
 * Decides what an append does. Ids are checked first, so that a retry is recognised although the version has changed.
 *
 * @param known returns the event with that `idKey` in the stream. Ids of other streams do not count: they would tell one
 * tenant of another's events, and a predictable id could be taken beforehand.
 * @throws `invalid_argument` (reason `id_conflict`), `wrong_expected_version`, `stream_deleted`
 */
export function planAppend(
  request: AppendRequest,
  stream: StreamState,
  known: (idKey: string) => KnownEvent | undefined,
): AppendPlan {
  const { streamId, events } = request;
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
  if (last === undefined) {
    checkAppendVersion(streamId, request.expectedVersion, stream);
    return { kind: 'write', firstVersion: stream.version + 1 };
  }
  if (old < events.length) {
    throw invalidArgument(
      'id_conflict',
      `${old} of ${events.length} event ids already exist in the stream, the others do not; nothing was written`,
    );
  }
  const { version, position } = last;
  return { kind: 'duplicate', result: { version, position, count: events.length, duplicate: true } };
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
    jsonTextEqual(found.data, event.data) &&
    sameMetadata(found.metadata, event.metadata) &&
    jsonTextEqual(found.tags, event.tags)
  );
}

function idConflict(id: string, what: string): Error {
  return invalidArgument('id_conflict', `the event id ${id} ${what}; nothing was written`, { id });
}
