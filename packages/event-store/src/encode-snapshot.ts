import { utf8Bytes } from '@esdb-gater/primitives';
import { invalidArgument, type RecordSnapshotParams } from '@esdb-gater/types';
import { checkSnapshotIds, checkSnapshotVersion } from './check-params.ts';
import { encodeJson } from './encode-event.ts';
import { isoTimestamp } from './event-text.ts';
import { PageMeter } from './pages.ts';

/** Holds a snapshot as stores keep it: its JSON parts are text. */
export interface StoredSnapshot {
  readonly sourceUuid: string;
  readonly streamUuid: string;
  readonly version: number;
  readonly record: string;
  /** `{}` when none was given. */
  readonly metadata: string;
  readonly epochUs: number;
}

/** Encodes a snapshot. @throws `invalid_argument` (reasons `source_uuid`, `stream_uuid`, `version`, `json`, `metadata`) */
export function encodeSnapshot(params: RecordSnapshotParams, epochUs: number): StoredSnapshot {
  checkSnapshotIds(params);
  checkSnapshotVersion(params.version);
  const metadata = params.metadata === undefined ? '{}' : encodeJson(params.metadata, 'metadata');
  if (metadata[0] !== '{') throw invalidArgument('metadata', 'metadata must be an object');
  const { sourceUuid, streamUuid, version } = params;
  return { sourceUuid, streamUuid, version, record: encodeJson(params.record, 'record'), metadata, epochUs };
}

/** Returns the JSON of a `Snapshot`. */
export function snapshotText(stored: StoredSnapshot): string {
  return (
    `{"sourceUuid":${JSON.stringify(stored.sourceUuid)},"streamUuid":${JSON.stringify(stored.streamUuid)}` +
    `,"version":${stored.version},"record":${stored.record},"metadata":${stored.metadata}` +
    `,"timestamp":"${isoTimestamp(stored.epochUs)}"}`
  );
}

/** Returns the JSON of a `SnapshotPage`: the first `count` snapshots of a list, as far as they fit into a page. */
export function snapshotPageText(newestFirst: Iterable<StoredSnapshot>, count: number): string {
  const meter = new PageMeter();
  const texts: string[] = [];
  let next = '';
  for (const stored of newestFirst) {
    const text = snapshotText(stored);
    if (texts.length === count || !meter.take(utf8Bytes(text))) {
      next = `,"next":${stored.version}`;
      break;
    }
    texts.push(text);
  }
  return `{"snapshots":[${texts.join(',')}]${next}}`;
}
