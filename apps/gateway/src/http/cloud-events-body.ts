import { findInexactNumber } from '@esdb-gater/primitives';
import {
  invalidArgument,
  type JsonObject,
  type JsonValue,
  type NewBytesEvent,
  type NewEvent,
} from '@esdb-gater/types';
import type { FastifyRequest } from 'fastify';
import { bodyMembers, parseJson } from './body.ts';
import { cloudEventToEvent, invalidCloudEvent } from './cloud-event.ts';
import { mediaTypeOf, requireJsonType } from './http-app.ts';

/** Headers of the HTTP binding's binary mode (CloudEvents HTTP binding 1.0.2, section 3.1.3). */
const PREFIX = 'ce-';

/** The data of an event in binary mode is the body, so a header for it would contradict the body. */
const DATA_ATTRIBUTES: ReadonlySet<string> = new Set(['data', 'data_base64']);

/** Strict: bytes that are not UTF-8 are an error instead of replacement characters. */
const UTF8 = new TextDecoder('utf-8', { fatal: true });

/**
 * Reads the CloudEvents of a request: one, a batch, or one in binary mode. Returns undefined when the request does
 * not carry CloudEvents.
 *
 * @throws `invalid_argument` (reasons `json`, `cloud_event`); a 415 for data in binary mode that is not JSON
 */
export function cloudEventsOf(request: FastifyRequest): readonly (NewEvent | NewBytesEvent)[] | undefined {
  const type = mediaTypeOf(request);
  const body = (): JsonValue => parseJson(bytesOf(request) ?? Buffer.alloc(0), findInexactNumber);
  if (type === 'application/cloudevents+json') return [cloudEventToEvent(bodyMembers(body()))];
  if (type === 'application/cloudevents-batch+json') {
    const batch = body();
    if (!Array.isArray(batch))
      throw invalidArgument('cloud_event', 'the body must be an array of CloudEvents');
    return (batch as readonly JsonValue[]).map((item, index) =>
      cloudEventToEvent(bodyMembers(item), `[${index}]`),
    );
  }
  if (request.headers['ce-specversion'] === undefined) return undefined;
  return [cloudEventToEvent(binaryMode(request, type))];
}

/** Builds the CloudEvent of a request in binary mode: the attributes are headers, the data is the body. */
function binaryMode(request: FastifyRequest, type: string): JsonObject {
  const attributes = new Map<string, JsonValue>();
  for (const [header, values = []] of Object.entries(request.raw.headersDistinct)) {
    if (!header.startsWith(PREFIX)) continue;
    const name = header.slice(PREFIX.length);
    if (DATA_ATTRIBUTES.has(name))
      throw invalidCloudEvent(`\`${header}\` is not an attribute: the body is the data`);
    const [value = '', ...others] = values;
    if (others.length > 0) throw invalidCloudEvent(`the header \`${header}\` must be given once`);
    attributes.set(name, decodeHeader(header, value));
  }
  if (type !== '') attributes.set('datacontenttype', type);
  const body = bytesOf(request);
  if (body === undefined) return Object.fromEntries(attributes);
  // JSON is what the data of an event is; a body that does not say its type is taken for it.
  if (type !== '') requireJsonType(request);
  return { ...Object.fromEntries(attributes), data: parseJson(body, findInexactNumber, 'data') };
}

/** Returns the body of a request, or undefined when it is empty. */
function bytesOf({ body }: FastifyRequest): Buffer | undefined {
  return Buffer.isBuffer(body) && body.length > 0 ? body : undefined;
}

/**
 * Decodes the value of a header (section 3.1.3.2): unescapes a quoted string, then decodes percent-encoding. UTF-8
 * that was not encoded, which some senders put there, is read as such.
 */
function decodeHeader(name: string, value: string): string {
  const quoted = /^"((?:[^"\\]|\\.)*)"$/s.exec(value)?.[1];
  const text = quoted === undefined ? value : quoted.replace(/\\(.)/gs, '$1');
  try {
    // Node.js reads each byte of a header as one character.
    return decodeURIComponent(UTF8.decode(Buffer.from(text, 'latin1')));
  } catch {
    throw invalidCloudEvent(
      `the header \`${name}\` must be UTF-8, percent-encoded where it is not printable ASCII`,
    );
  }
}
