import { GaterError } from '@esdb-gater/types';

/** The stream stands at another version than the caller expected. */
export function wrongExpectedVersion(streamId: string, expected: number, actual: number): GaterError {
  return new GaterError(
    'wrong_expected_version',
    `stream ${JSON.stringify(streamId)} is at version ${actual}, expected was ${expected}`,
    { details: { streamId, expected, actual } },
  );
}

export function streamNotFound(streamId: string): GaterError {
  return new GaterError('stream_not_found', `there is no stream ${JSON.stringify(streamId)}`, {
    details: { streamId },
  });
}

export function streamDeleted(streamId: string, version: number): GaterError {
  return new GaterError(
    'stream_deleted',
    `stream ${JSON.stringify(streamId)} was deleted at version ${version}; an append begins it again`,
    { details: { streamId, version } },
  );
}

export function snapshotNotFound(sourceUuid: string, streamUuid: string, version?: number): GaterError {
  const which = version === undefined ? 'no snapshot' : `no snapshot of version ${version}`;
  return new GaterError(
    'snapshot_not_found',
    `there is ${which} of stream ${JSON.stringify(streamUuid)} by source ${JSON.stringify(sourceUuid)}`,
    { details: { sourceUuid, streamUuid, ...(version === undefined ? {} : { version }) } },
  );
}

/** What this store does not serve, named. It is never ignored: an ignored condition would write what it forbids. */
export function notSupported(what: string, storeId: string): GaterError {
  return new GaterError('not_supported', `the store ${JSON.stringify(storeId)} does not serve ${what}`, {
    details: { what },
  });
}

export function storeClosed(storeId: string): GaterError {
  return new GaterError('unavailable', `the store ${JSON.stringify(storeId)} is closed`);
}
