import type { JsonObject, JsonValue } from './json.ts';

/** The state of an aggregate at a version. */
export interface Snapshot {
  /** The creator of the snapshot; any id. */
  readonly sourceUuid: string;
  /** The subject of the snapshot; any id. */
  readonly streamUuid: string;
  readonly version: number;
  readonly record: JsonValue;
  readonly metadata: JsonObject;
  /** ISO 8601 with milliseconds and `Z`. */
  readonly timestamp: string;
}
