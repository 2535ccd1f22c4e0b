import { createHash } from 'node:crypto';
import { isUuid, uuidV5 } from '@esdb-gater/primitives';
import { isName, isStreamId, type JsonObject, LIMITS, type NewEvent } from '@esdb-gater/types';
import { cloudEventToEvent } from '../../http/cloud-event.ts';
import { type InputLine, LineError, parseLine } from '../lines.ts';

/** A line as the event that it becomes. */
export interface ImportedEvent {
  readonly line: number;
  readonly streamId: string;
  readonly event: NewEvent & { readonly id: string };
}

const MEMBERS = new Set(['streamId', 'type', 'data', 'id', 'metadata', 'tags']);

/**
 * Reads a line as `{ streamId, type, data, id?, metadata?, tags? }` or as a CloudEvent in JSON.
 *
 * A line without an id gets one made of its place and its text, so that the same file again writes nothing twice.
 *
 * @throws LineError
 */
export function importLine(line: InputLine, stream: string | undefined): ImportedEvent {
  const value = parseLine(line);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new LineError(line.number, 'is no JSON object');
  }
  const object = value as JsonObject;
  if (Buffer.byteLength(line.text) > LIMITS.messageBytes) {
    throw new LineError(line.number, `is over ${LIMITS.messageBytes} bytes`);
  }
  return object['specversion'] === undefined
    ? plainEvent(line, object, stream)
    : cloudEvent(line, object, stream);
}

function cloudEvent(line: InputLine, object: JsonObject, stream: string | undefined): ImportedEvent {
  const streamId = checkedStream(
    line,
    stream ?? object['subject'],
    'give --stream, or the attribute "subject"',
  );
  try {
    return { line: line.number, streamId, event: cloudEventToEvent(object) };
  } catch (error) {
    throw new LineError(line.number, `is no CloudEvent that can be taken: ${(error as Error).message}`);
  }
}

function plainEvent(line: InputLine, object: JsonObject, stream: string | undefined): ImportedEvent {
  const unknown = Object.keys(object).find((name) => !MEMBERS.has(name));
  if (unknown !== undefined) {
    throw new LineError(
      line.number,
      `has the unknown member "${unknown}"; expected ${[...MEMBERS].join(', ')}`,
    );
  }
  const streamId = checkedStream(
    line,
    stream ?? object['streamId'],
    'give --stream, or the member "streamId"',
  );
  const { type, data, id, metadata, tags } = object;
  if (!isName(type)) throw new LineError(line.number, 'needs a "type" of 1 to 255 characters');
  if (data === undefined) throw new LineError(line.number, 'needs "data"');
  if (id !== undefined && !isUuid(id)) {
    throw new LineError(line.number, 'has an "id" that is no UUID');
  }
  if (
    metadata !== undefined &&
    (typeof metadata !== 'object' || metadata === null || Array.isArray(metadata))
  ) {
    throw new LineError(line.number, 'has "metadata" that is no object');
  }
  if (tags !== undefined && !(Array.isArray(tags) && tags.every(isName))) {
    throw new LineError(line.number, 'has "tags" that are no list of texts of 1 to 255 characters');
  }
  return {
    line: line.number,
    streamId,
    event: {
      id: id ?? idOfLine(line, streamId),
      type,
      data,
      ...(metadata === undefined ? {} : { metadata: metadata as JsonObject }),
      ...(tags === undefined ? {} : { tags: tags as readonly string[] }),
    },
  };
}

function checkedStream(line: InputLine, value: unknown, hint: string): string {
  if (value === undefined) throw new LineError(line.number, `names no stream; ${hint}`);
  if (!isStreamId(value))
    throw new LineError(line.number, 'names a stream that is no text of 1 to 255 characters');
  return value;
}

function idOfLine(line: InputLine, streamId: string): string {
  const digest = createHash('sha256').update(line.text).digest('hex');
  return uuidV5(`esdb-gater-import\n${line.number}\n${streamId}\n${digest}`);
}
