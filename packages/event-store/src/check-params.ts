import { requireInteger } from '@esdb-gater/primitives';
import {
  GaterError,
  invalidArgument,
  isName,
  isStreamId,
  LIMITS,
  type SnapshotParams,
} from '@esdb-gater/types';

/** Checks that a call is for this store. @throws `store_not_found` */
export function checkStoreId(asked: string, storeId: string): void {
  if (asked === storeId) return;
  throw new GaterError(
    'store_not_found',
    `storeId must be ${JSON.stringify(storeId)}, got ${JSON.stringify(asked)}`,
  );
}

/** Checks a stream id. @throws `invalid_argument` (reason `stream_id`) */
export function checkStreamId(streamId: string): void {
  if (isStreamId(streamId)) return;
  throw invalidArgument(
    'stream_id',
    `streamId must be 1 to ${LIMITS.nameUnits} characters without control characters, other than ".", ".." and "$all"`,
  );
}

/** Checks the ids of a snapshot. @throws `invalid_argument` (reasons `source_uuid`, `stream_uuid`) */
export function checkSnapshotIds(params: SnapshotParams): void {
  const rule = `must be 1 to ${LIMITS.nameUnits} characters without control characters`;
  if (!isName(params.sourceUuid)) throw invalidArgument('source_uuid', `sourceUuid ${rule}`);
  if (!isName(params.streamUuid)) throw invalidArgument('stream_uuid', `streamUuid ${rule}`);
}

/** Checks a snapshot's version. @throws `invalid_argument` (reason `version`) */
export function checkSnapshotVersion(version: number): void {
  requireInteger('version', version, { min: 0 });
}
