import type { EncodedEvent } from '@esdb-gater/event-store';
import { stableJson } from '@esdb-gater/primitives';
import type { JsonValue } from '@esdb-gater/types';

/** The canonical JSON of an event around what only the database knows: time, position, timestamp and version. */
export interface HashParts {
  /** Before `epochUs`. */
  readonly data: string;
  /** Between `epochUs` and `position`. */
  readonly id: string;
  /** Between `position` and `timestamp`. */
  readonly stream: string;
  /** Between `timestamp` and `version`. */
  readonly type: string;
}

/**
 * Returns the parts of the text that `chainHash` hashes, so that the database can hash an event whose position it has just
 * given. RFC 8785 sorts the members by their names.
 */
export function hashParts(streamId: string, event: EncodedEvent): HashParts {
  const { id, type, data, bytes, metadata, tags } = event;
  const content =
    bytes === undefined
      ? `"data":${stable(data)}`
      : `"contentType":${stableJson(bytes.contentType)},"dataBase64":${stableJson(bytes.base64)}`;
  return {
    data: `{${content},"epochUs":`,
    id: `,"id":${stableJson(id)},"metadata":${stable(metadata)},"position":`,
    stream: `,"streamId":${stableJson(streamId)},"tags":${stable(tags)},"timestamp":"`,
    type: `","type":${stableJson(type)},"version":`,
  };
}

function stable(text: string): string {
  return stableJson(JSON.parse(text) as JsonValue);
}
