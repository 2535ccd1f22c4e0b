import { requireInteger, requireOneOf } from '@esdb-gater/primitives';
import { type GetEventsParams, LIMITS, type ListSnapshotsParams } from '@esdb-gater/types';
import { streamDeleted, streamNotFound } from './errors.ts';
import { isDeleted, isMissing, type StreamState } from './stream-state.ts';

/** Checks `count` or `limit` of a page and fills in the default. @throws `invalid_argument` with the parameter's name as reason */
export function resolveCount(name: 'count' | 'limit', value: number | undefined): number {
  if (value === undefined) return LIMITS.pageCountDefault;
  return requireInteger(name, value, { min: 1, max: LIMITS.pageCount });
}

/** Checks an exclusive position and fills in the default. @throws `invalid_argument` (reason `after`) */
export function resolveAfter(value: number | undefined): number {
  return value === undefined ? 0 : requireInteger('after', value, { min: 0 });
}

/** The parameters of a stream read, with defaults filled in. */
export interface StreamRead {
  readonly streamId: string;
  readonly backward: boolean;
  /** -1, only backward, means the newest. */
  readonly startVersion: number;
  readonly count: number;
}

/** Checks the parameters of a stream read and fills in the defaults. @throws `invalid_argument` (reasons `direction`, `start_version`, `count`) */
export function resolveStreamRead(params: GetEventsParams): StreamRead {
  const direction = requireOneOf('direction', params.direction ?? 'forward', ['forward', 'backward']);
  const backward = direction === 'backward';
  // -1 is the newest.
  const min = backward ? -1 : 0;
  const startVersion = params.startVersion ?? min;
  requireInteger('startVersion', startVersion, { reason: 'start_version', min });
  return {
    streamId: params.streamId,
    backward,
    startVersion,
    count: resolveCount('count', params.count),
  };
}

/** The part of a snapshot list that is asked for, with defaults filled in. */
export interface SnapshotList {
  /** The highest version to return. */
  readonly highest: number;
  readonly count: number;
}

/** Checks the page of a snapshot list and fills in the defaults. @throws `invalid_argument` (reasons `start_version`, `count`) */
export function resolveSnapshotList(params: ListSnapshotsParams): SnapshotList {
  const { startVersion = -1 } = params;
  requireInteger('startVersion', startVersion, { reason: 'start_version', min: -1 });
  const highest = startVersion === -1 ? Number.MAX_SAFE_INTEGER : startVersion;
  return { highest, count: resolveCount('count', params.count) };
}

/** The versions that a read may return, both ends inclusive; empty when `lowest > highest`. */
export interface VersionRange {
  readonly lowest: number;
  readonly highest: number;
}

/**
 * Returns the versions that a stream read may return.
 *
 * @throws `stream_not_found`, `stream_deleted`
 */
export function readableRange(read: StreamRead, stream: StreamState): VersionRange {
  if (isMissing(stream)) throw streamNotFound(read.streamId);
  if (isDeleted(stream)) throw streamDeleted(read.streamId, stream.version);
  const oldest = stream.hiddenThrough + 1;
  if (!read.backward) return { lowest: Math.max(read.startVersion, oldest), highest: stream.version };
  const newest = read.startVersion === -1 ? stream.version : Math.min(read.startVersion, stream.version);
  return { lowest: oldest, highest: newest };
}

/** Returns `startVersion` of the page that follows `lastVersion`; undefined after the last page. */
export function nextVersion(read: StreamRead, range: VersionRange, lastVersion: number): number | undefined {
  if (read.backward) return lastVersion > range.lowest ? lastVersion - 1 : undefined;
  return lastVersion < range.highest ? lastVersion + 1 : undefined;
}

/** Limits a page by bytes. The first item always fits. */
export class PageMeter {
  #bytes: number;

  /** @param bytes what the page has already */
  constructor(bytes = 0) {
    this.#bytes = bytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Adds an item of that size and returns true, or returns false when the page is full. */
  take(bytes: number): boolean {
    if (this.#bytes > 0 && this.#bytes + bytes > LIMITS.pageBytes) return false;
    this.#bytes += bytes;
    return true;
  }
}
