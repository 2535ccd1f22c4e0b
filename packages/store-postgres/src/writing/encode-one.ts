import { idKey } from '@esdb-gater/event-store';
import type { WriteRequest } from './write-request.ts';

/** The number of parameters of `write_one`. */
const PARAMETERS = 12;

/** Returns the statement that writes one event. */
export function oneStatement(schema: string): string {
  const parameters = Array.from({ length: PARAMETERS }, (_, index) => `$${index + 1}`);
  return `SELECT ${schema}.write_one(${parameters.join(', ')}) AS written`;
}

/**
 * Returns the parameters of `write_one`; undefined for a batch that it does not write: only a single append of one event,
 * without a condition, is for it.
 *
 * @param nowUs the time of the event
 */
export function encodeOne(requests: readonly WriteRequest[], nowUs: number): unknown[] | undefined {
  const [request, another] = requests;
  if (request === undefined || another !== undefined) return undefined;
  const { kind, parts, condition, epochsUs } = request;
  const [part, anotherPart] = parts;
  const [event, anotherEvent] = part?.events ?? [];
  if (kind !== 'append' || condition !== undefined || epochsUs !== undefined) return undefined;
  if (part === undefined || anotherPart !== undefined) return undefined;
  if (event === undefined || anotherEvent !== undefined) return undefined;
  const { id, type, data, bytes, metadata, tags, tagList } = event;
  const key = idKey(id);
  return [
    nowUs,
    part.streamId,
    part.expectedVersion,
    key,
    key === id ? null : id,
    type,
    bytes === undefined ? data : null,
    bytes?.contentType ?? null,
    bytes?.base64 ?? null,
    metadata,
    tags,
    tagList.length === 0 ? null : [...new Set(tagList)],
  ];
}
