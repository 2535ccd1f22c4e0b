import type { FeedPosition, RecordedEvent, SubscriptionState } from '@esdb-gater/types';
import type { StoredSnapshot } from '../encode-snapshot.ts';

/** A stream that was deleted once, with the version of the last event that is hidden. */
export interface HiddenStream {
  readonly streamId: string;
  readonly hiddenThrough: number;
}

/** Identifies a snapshot. */
export type SnapshotKey = Pick<StoredSnapshot, 'sourceUuid' | 'streamUuid' | 'version'>;

/** Everything that a store keeps, for a copy. Lists come in pages: the next one follows the last item of the one before. */
export interface StoreCopySource {
  /** What the copy must keep chains of hashes for. */
  readonly tamperEvident: boolean;
  newestPosition(): Promise<number>;
  /** Returns the events after a position, in order: none at the end. */
  readAfter(position: number): Promise<readonly RecordedEvent[]>;
  /** In the order of the UTF-8 bytes of the names. */
  hiddenStreams(after: string): Promise<readonly HiddenStream[]>;
  /** In the order of the UTF-8 bytes of the source and of the stream, then of the versions. */
  snapshots(after: SnapshotKey | undefined): Promise<readonly StoredSnapshot[]>;
  readonly subscriptions: Pick<SubscriptionState, 'list' | 'listParked'>;
  feedPosition(): Promise<FeedPosition>;
  close(): Promise<void>;
}

/** A store that takes in what another one keeps. */
export interface StoreCopyTarget extends StoreCopySource {
  readonly subscriptions: SubscriptionState;
  /**
   * Writes events with their ids, versions, positions and times, all or nothing.
   *
   * @param newest the position that they must follow
   * @throws `invalid_argument` (reason `target`) when somebody else has written to the store
   */
  write(events: readonly RecordedEvent[], newest: number): Promise<void>;
  hide(streams: readonly HiddenStream[]): Promise<void>;
  putSnapshots(snapshots: readonly StoredSnapshot[]): Promise<void>;
  /** At most 1 000. */
  removeSnapshots(keys: readonly SnapshotKey[]): Promise<void>;
  saveFeedPosition(position: FeedPosition): Promise<void>;
}
