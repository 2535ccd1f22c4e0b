import { invalidOption } from '@esdb-gater/primitives';
import { ANY_VERSION, NO_STREAM, STREAM_EXISTS } from '@esdb-gater/types';
import { streamDeleted, streamNotFound, wrongExpectedVersion } from './errors.ts';
import { isDeleted, isMissing, isReadable, type StreamState } from './stream-state.ts';

/** Checks the expected version of a call and fills in the default. @throws `invalid_argument` (reason `expected_version`) */
export function resolveExpectedVersion(expected: number | undefined): number {
  if (expected === undefined) return ANY_VERSION;
  if (Number.isSafeInteger(expected) && (expected >= NO_STREAM || expected === ANY_VERSION)) return expected;
  if (expected === STREAM_EXISTS) return expected;
  throw invalidOption(
    'expectedVersion',
    expected,
    'a version from 0, -1 (no stream), -2 (any) or -4 (stream exists)',
    { reason: 'expected_version' },
  );
}

/**
 * Checks the expected version of an append. A deleted stream starts again for a caller that expects no stream, any
 * version, or the stream's last version.
 *
 * @throws `wrong_expected_version`, `stream_deleted`
 */
export function checkAppendVersion(streamId: string, expected: number, stream: StreamState): void {
  if (expected === ANY_VERSION || expected === stream.version) return;
  if (expected === NO_STREAM && isDeleted(stream)) return;
  if (expected === STREAM_EXISTS) {
    if (isReadable(stream)) return;
    if (isDeleted(stream)) throw streamDeleted(streamId, stream.version);
  }
  throw wrongExpectedVersion(streamId, expected, stream.version);
}

/**
 * Checks the expected version of a delete.
 *
 * @throws `stream_not_found`, `stream_deleted`, `wrong_expected_version`
 */
export function checkDeleteVersion(streamId: string, expected: number, stream: StreamState): void {
  if (isMissing(stream)) throw streamNotFound(streamId);
  if (isDeleted(stream)) throw streamDeleted(streamId, stream.version);
  if (expected === ANY_VERSION || expected === STREAM_EXISTS || expected === stream.version) return;
  throw wrongExpectedVersion(streamId, expected, stream.version);
}
