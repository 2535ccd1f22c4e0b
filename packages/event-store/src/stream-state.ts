/**
 * What a store knows of a stream besides its events.
 *
 * A delete hides every event up to the stream's version of that moment and removes none, so that versions are
 * never used twice. The stream counts as deleted until an event comes after the hidden ones.
 */
export interface StreamState {
  /** Of the last event, hidden or not; -1 for a stream that never was. */
  readonly version: number;
  /** The version of the last hidden event; -1 when nothing is hidden. */
  readonly hiddenThrough: number;
}

/** The state of a stream that never was. */
export const MISSING_STREAM: StreamState = Object.freeze({ version: -1, hiddenThrough: -1 });

export function isMissing(stream: StreamState): boolean {
  return stream.version < 0;
}

export function isDeleted(stream: StreamState): boolean {
  return stream.version >= 0 && stream.version === stream.hiddenThrough;
}

/** True when the stream has an event that can be read. */
export function isReadable(stream: StreamState): boolean {
  return stream.version > stream.hiddenThrough;
}
