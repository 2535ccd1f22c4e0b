import { GaterError } from '@esdb-gater/types';

/** Makes the error of an append or delete that expected another version of the stream. */
export function wrongExpectedVersion(streamId: string, expected: number, actual: number): GaterError {
  return new GaterError(
    'wrong_expected_version',
    `stream ${JSON.stringify(streamId)} is at version ${actual}, expected ${expected}`,
    { details: { streamId, expected, actual } },
  );
}

/** Makes the error of an append whose condition an event fails. @param position that of the first match */
export function appendConditionFailed(position: number): GaterError {
  return new GaterError(
    'append_condition_failed',
    `the event at position ${position} matches \`condition.failIfEventsMatch\``,
    { details: { position } },
  );
}

export function streamNotFound(streamId: string): GaterError {
  return new GaterError('stream_not_found', `stream ${JSON.stringify(streamId)} does not exist`, {
    details: { streamId },
  });
}

export function streamDeleted(streamId: string, version: number): GaterError {
  return new GaterError(
    'stream_deleted',
    `stream ${JSON.stringify(streamId)} was deleted at version ${version}; an append starts it again`,
    { details: { streamId, version } },
  );
}

export function snapshotNotFound(sourceUuid: string, streamUuid: string, version?: number): GaterError {
  const which = version === undefined ? 'a snapshot' : `the snapshot at version ${version}`;
  return new GaterError(
    'snapshot_not_found',
    `${which} of stream ${JSON.stringify(streamUuid)} from source ${JSON.stringify(sourceUuid)} does not exist`,
    { details: { sourceUuid, streamUuid, ...(version === undefined ? {} : { version }) } },
  );
}

/** Makes the error for a feature that the store lacks. It is never ignored: an ignored condition would write what it forbids. */
export function notSupported(what: string, storeId: string): GaterError {
  return new GaterError('not_supported', `the store ${JSON.stringify(storeId)} does not support ${what}`, {
    details: { what },
  });
}

export function storeClosed(storeId: string): GaterError {
  return new GaterError('unavailable', `the store ${JSON.stringify(storeId)} is closed`);
}
