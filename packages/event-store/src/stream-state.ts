/**
 * The state of a stream besides its events.
 *
 * A delete hides every event up to the stream's current version and removes none, so versions are never used twice.
 * The stream is deleted until the next append.
 */
export interface StreamState {
  /** The version of the last event, hidden or not; -1 for a stream that never existed. */
  readonly version: number;
  /** The version of the last hidden event; -1 when nothing is hidden. */
  readonly hiddenThrough: number;
}

/** The state of a stream that never existed. */
export const MISSING_STREAM: StreamState = Object.freeze({ version: -1, hiddenThrough: -1 });

export function isMissing(stream: StreamState): boolean {
  return stream.version < 0;
}

export function isDeleted(stream: StreamState): boolean {
  return stream.version >= 0 && stream.version === stream.hiddenThrough;
}

/** Returns true when the stream has an event that can be read. */
export function isReadable(stream: StreamState): boolean {
  return stream.version > stream.hiddenThrough;
}
