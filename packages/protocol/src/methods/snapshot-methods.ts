import type { RecordSnapshotParams, Snapshot, SnapshotParams } from '@esdb-gater/types';
import { empty, name, snapshot, storeId, version } from '../schemas/leaf-schemas.ts';
import { array, boolean, json, jsonObject, object, optional } from '../schemas/schema-kit.ts';
import type { Action, Requirement } from './actions.ts';
import type { MethodSpec } from './method-spec.ts';

export interface ReadSnapshotParams extends SnapshotParams {
  /** @default the newest */
  readonly version?: number;
}

export interface DeleteSnapshotParams extends SnapshotParams {
  readonly version: number;
}

const ids = {
  storeId,
  sourceUuid: name('an id', 'source_uuid'),
  streamUuid: name('an id', 'stream_uuid'),
} as const;

const needs =
  (action: Action & `snapshot/${string}`) =>
  (params: SnapshotParams): readonly Requirement[] => [
    { action, target: { kind: 'snapshot', storeId: params.storeId, streamUuid: params.streamUuid } },
  ];

/** Snapshots of aggregates. */
export const SNAPSHOT_METHODS: {
  readonly recordSnapshot: MethodSpec<RecordSnapshotParams, Record<string, never>>;
  readonly readSnapshot: MethodSpec<ReadSnapshotParams, Snapshot>;
  readonly listSnapshots: MethodSpec<SnapshotParams, { readonly snapshots: readonly Snapshot[] }>;
  readonly deleteSnapshot: MethodSpec<DeleteSnapshotParams, { readonly deleted: boolean }>;
} = {
  recordSnapshot: {
    summary: 'Keeps the state of an aggregate at a version; the same version again overwrites.',
    servedBy: 'store',
    worker: 'optional',
    params: object<RecordSnapshotParams>({
      ...ids,
      version,
      record: json(),
      metadata: optional(jsonObject()),
    }),
    result: empty,
    requires: needs('snapshot/write'),
  },
  readSnapshot: {
    summary: 'The snapshot at a version, by default the newest.',
    servedBy: 'store',
    worker: 'optional',
    params: object<ReadSnapshotParams>({ ...ids, version: optional(version) }),
    result: snapshot,
    requires: needs('snapshot/read'),
  },
  listSnapshots: {
    summary: 'All snapshots of an aggregate, newest first.',
    servedBy: 'store',
    worker: 'optional',
    params: object<SnapshotParams>(ids),
    result: object<{ readonly snapshots: readonly Snapshot[] }>(
      { snapshots: array(snapshot) },
      { open: true },
    ),
    requires: needs('snapshot/read'),
  },
  deleteSnapshot: {
    summary: 'Deletes the snapshot at a version.',
    servedBy: 'store',
    worker: 'optional',
    params: object<DeleteSnapshotParams>({ ...ids, version }),
    result: object<{ readonly deleted: boolean }>({ deleted: boolean() }, { open: true }),
    requires: needs('snapshot/delete'),
  },
};
