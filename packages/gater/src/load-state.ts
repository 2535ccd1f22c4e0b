import { GaterError, type Snapshot } from '@esdb-gater/types';
import type { AnyEvent, CallOptions, Gater, Recorded } from './gater.ts';

export interface LoadStateParams<State, Event> {
  readonly storeId: string;
  readonly streamId: string;
  /** The state before the first event, or a function that makes it: needed where `evolve` changes it in place. */
  readonly initialState: State | (() => State);
  /** Returns the state after an event. */
  readonly evolve: (state: State, event: Event) => State;
  /** Where snapshots of this state are recorded. Their `version` must be that of the last event in them. */
  readonly snapshot?: {
    readonly sourceUuid: string;
    readonly streamUuid: string;
    /** Makes the state of a snapshot; undefined when it is of an older form and must not be used. @default its `record` */
    readonly restore?: (snapshot: Snapshot) => State | undefined;
  };
  /** Events of a page, 1 to 1 000. @default 1 000 */
  readonly count?: number;
}

export interface LoadedState<State> {
  readonly state: State;
  /** The version of the stream: what an append of a decision expects. -1 for a stream that does not exist. */
  readonly version: number;
  /** The version of the snapshot that was used. Absent when the state comes from events alone. */
  readonly snapshotVersion?: number;
}

/**
 * Loads the state of a stream: from the newest snapshot and the events after it, or from all events.
 *
 * A snapshot is used only when the stream has the event of its version, so that one from before a `deleteStream`, or from
 * after a backup that was restored, does no harm. A stream that does not exist or is deleted gives `initialState`.
 */
export async function loadState<State, E extends AnyEvent, A extends AnyEvent = E>(
  gater: Gater<E, A>,
  params: LoadStateParams<State, Recorded<E>>,
  options?: CallOptions,
): Promise<LoadedState<State>> {
  const stream = { storeId: params.storeId, streamId: params.streamId };
  const { evolve, count = 1_000 } = params;
  const snapshot = await newestSnapshot(gater, params, options);
  let state = snapshot?.state ?? initialOf(params);
  let usesSnapshot = snapshot !== undefined;
  // The event of the snapshot itself is read too, as a proof that it is still part of the stream.
  let next: number | undefined = snapshot?.version ?? 0;
  let version = -1;
  try {
    while (next !== undefined) {
      const page = await gater.getEvents({ ...stream, startVersion: next, count }, options);
      if (snapshot !== undefined && usesSnapshot && next === snapshot.version) {
        usesSnapshot = page.events[0]?.version === snapshot.version;
        if (!usesSnapshot) {
          state = initialOf(params);
          next = 0;
          continue;
        }
      }
      for (const event of page.events) {
        if (!usesSnapshot || event.version !== snapshot?.version) state = evolve(state, event);
      }
      version = page.version;
      next = page.next;
    }
  } catch (error) {
    if (!GaterError.is(error)) throw error;
    if (error.code !== 'stream_not_found' && error.code !== 'stream_deleted') throw error;
    return { state: initialOf(params), ...(await gater.getVersion(stream, options)) };
  }
  return {
    state,
    version,
    ...(snapshot !== undefined && usesSnapshot ? { snapshotVersion: snapshot.version } : {}),
  };
}

async function newestSnapshot<State, Event, E extends AnyEvent, A extends AnyEvent>(
  gater: Gater<E, A>,
  { storeId, snapshot }: LoadStateParams<State, Event>,
  options: CallOptions | undefined,
): Promise<{ readonly state: State; readonly version: number } | undefined> {
  if (snapshot === undefined) return undefined;
  const { sourceUuid, streamUuid, restore } = snapshot;
  try {
    const found = await gater.readSnapshot({ storeId, sourceUuid, streamUuid }, options);
    // What `record` is, only the program knows that recorded it.
    const state = restore === undefined ? (found.record as State) : restore(found);
    return state === undefined ? undefined : { state, version: found.version };
  } catch (error) {
    if (GaterError.is(error) && error.code === 'snapshot_not_found') return undefined;
    throw error;
  }
}

function initialOf<State>({ initialState }: { readonly initialState: State | (() => State) }): State {
  return typeof initialState === 'function' ? (initialState as () => State)() : initialState;
}
