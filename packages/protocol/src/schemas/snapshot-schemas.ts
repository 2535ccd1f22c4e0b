import type { ParamsOf, ResultOf } from '../methods/method-types.ts';
import { backwardVersion, empty, name, pageSize, snapshot, storeId, version } from './leaf-schemas.ts';
import { array, boolean, integer, json, jsonObject, object, optional, type SchemasOf } from './schema-kit.ts';

const ids = {
  storeId,
  sourceUuid: name('an id', 'source_uuid'),
  streamUuid: name('an id', 'stream_uuid'),
} as const;

/** Snapshots of aggregates. */
export const SNAPSHOT_SCHEMAS: SchemasOf<
  'recordSnapshot' | 'readSnapshot' | 'listSnapshots' | 'deleteSnapshot'
> = {
  recordSnapshot: {
    summary: 'Keeps the state of an aggregate at a version; the same version again overwrites.',
    params: object<ParamsOf<'recordSnapshot'>>({
      ...ids,
      version,
      record: json(),
      metadata: optional(jsonObject()),
    }),
    result: empty,
  },
  readSnapshot: {
    summary: 'The snapshot at a version, by default the newest.',
    params: object<ParamsOf<'readSnapshot'>>({ ...ids, version: optional(version) }),
    result: snapshot,
  },
  listSnapshots: {
    summary: 'A page of the snapshots of an aggregate, newest first.',
    params: object<ParamsOf<'listSnapshots'>>({
      ...ids,
      startVersion: optional(backwardVersion),
      count: optional(pageSize('count')),
    }),
    result: object<ResultOf<'listSnapshots'>>(
      { snapshots: array(snapshot), next: optional(integer(0)) },
      { open: true },
    ),
  },
  deleteSnapshot: {
    summary: 'Deletes the snapshot at a version, by default all of them.',
    params: object<ParamsOf<'deleteSnapshot'>>({ ...ids, version: optional(version) }),
    result: object<ResultOf<'deleteSnapshot'>>({ deleted: boolean() }, { open: true }),
  },
};
