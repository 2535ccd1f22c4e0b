import { invalidArgument, type JsonObject, type JsonValue, type NewEvent } from '@esdb-gater/types';
import type { FastifyRequest } from 'fastify';
import { bodyMembers, parseJson } from './body.ts';
import { cloudEventToEvent } from './cloud-event.ts';
import { mediaTypeOf } from './http-app.ts';

/** Headers of the HTTP binding's binary mode (CloudEvents HTTP binding 1.0.2, section 3.1.3). */
const PREFIX = 'ce-';

/**
 * The events of a request that carries CloudEvents, one or a batch or in binary mode; undefined when it carries none.
 *
 * @throws `invalid_argument` (reasons `json`, `cloud_event`)
 */
export function cloudEventsOf(request: FastifyRequest): readonly NewEvent[] | undefined {
  const type = mediaTypeOf(request);
  const body = (): JsonValue => parseJson(Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0));
  if (type === 'application/cloudevents+json') return [cloudEventToEvent(bodyMembers(body()))];
  if (type === 'application/cloudevents-batch+json') {
    const batch = body();
    if (!Array.isArray(batch))
      throw invalidArgument('cloud_event', 'expected an array of CloudEvents as the body');
    return (batch as readonly JsonValue[]).map((item) => cloudEventToEvent(bodyMembers(item)));
  }
  if (request.headers['ce-specversion'] === undefined) return undefined;
  return [cloudEventToEvent(binaryMode(request))];
}

function binaryMode(request: FastifyRequest): JsonObject {
  const attributes: Record<string, JsonValue> = {};
  for (const [name, value] of Object.entries(request.headers)) {
    if (name.startsWith(PREFIX) && typeof value === 'string')
      attributes[name.slice(PREFIX.length)] = decoded(name, value);
  }
  const body = Buffer.isBuffer(request.body) && request.body.length > 0 ? request.body : undefined;
  if (body === undefined) return attributes;
  return { ...attributes, datacontenttype: mediaTypeOf(request), data: parseJson(body) };
}

/** Header values are percent-encoded where they are no printable ASCII. */
function decoded(name: string, value: string): string {
  try {
    return decodeURIComponent(value.replace(/^"(.*)"$/, '$1'));
  } catch {
    throw invalidArgument('cloud_event', `the header ${name} is not percent-encoded UTF-8`);
  }
}
