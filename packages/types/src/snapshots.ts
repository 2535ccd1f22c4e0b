import type { JsonObject, JsonValue } from './json.ts';

/** The state of an aggregate at a version. */
export interface Snapshot {
  /** Any id: who made it. */
  readonly sourceUuid: string;
  /** Any id: of what. */
  readonly streamUuid: string;
  readonly version: number;
  readonly record: JsonValue;
  readonly metadata: JsonObject;
  /** ISO 8601 with milliseconds and `Z`. */
  readonly timestamp: string;
}
