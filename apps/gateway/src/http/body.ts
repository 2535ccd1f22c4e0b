import type { IncomingMessage } from 'node:http';
import { type InexactNumber, inexactNumber } from '@esdb-gater/primitives';
import { findContentNumber } from '@esdb-gater/protocol';
import { GaterError, invalidArgument, type JsonObject, type JsonValue } from '@esdb-gater/types';
import type { FastifyRequest } from 'fastify';
import type { InboundShare } from '../access/inbound-budget.ts';

/** Returns whether a request has a body that would be read. */
export function hasBody({ method, headers }: IncomingMessage): boolean {
  if (method === 'GET' || method === 'HEAD' || method === 'OPTIONS') return false;
  const length = headers['content-length'];
  return headers['transfer-encoding'] !== undefined || (length !== undefined && length !== '0');
}

/**
 * Reads the body of a request, within the limit of its route. Stops reading while its share of the inbound budget may not
 * grow.
 *
 * @throws `payload_too_large`
 */
export function readBody(
  request: FastifyRequest,
  payload: IncomingMessage,
  share: InboundShare | undefined,
): Promise<Buffer> {
  const limit = request.routeOptions.bodyLimit;
  const tooLarge = new GaterError('payload_too_large', `the body must have at most ${limit} bytes`, {
    details: { limit },
  });
  if (Number(request.headers['content-length']) > limit) return Promise.reject(tooLarge);
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    payload.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > limit) {
        chunks.length = 0;
        reject(tooLarge);
        return;
      }
      chunks.push(chunk);
      share?.add(chunk.length);
      if (share?.mayGrow() === false) payload.pause();
    });
    payload.once('end', () => resolve(Buffer.concat(chunks, bytes)));
    payload.once('error', reject);
  });
}

/** Strict: a body in invalid UTF-8 is not JSON. A byte order mark is allowed, which RFC 8259 leaves to the reader. */
const UTF8 = new TextDecoder('utf-8', { fatal: true });

/**
 * Parses the JSON of a body.
 *
 * @param findNumber finds a number that parsing would change
 * @param of the path of the body in errors
 * @throws `invalid_argument` (reason `json`, which is 400) when `bytes` are not JSON in UTF-8; reason `number`
 */
export function parseJson(
  bytes: Uint8Array,
  findNumber: (text: string) => InexactNumber | undefined = findContentNumber,
  of: string = '',
): JsonValue {
  let text: string;
  let value: JsonValue;
  try {
    text = UTF8.decode(bytes);
    value = JSON.parse(text) as JsonValue;
  } catch {
    throw invalidArgument('json', 'the body must be JSON in UTF-8');
  }
  const found = findNumber(text);
  if (found !== undefined) throw inexactNumber(found, of);
  return value;
}

/** Returns `value` as an object. @throws `invalid_argument` when it is not one, or repeats a name of the path */
export function bodyMembers(value: JsonValue, fromPath: readonly string[] = []): JsonObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw invalidArgument('schema', 'the body must be an object', { path: '' });
  }
  const members = value as JsonObject;
  for (const name of fromPath) {
    if (Object.hasOwn(members, name)) {
      throw invalidArgument(
        'schema',
        `unexpected member ${JSON.stringify(name)}: the path of the request names it`,
        {
          path: `/${name}`,
        },
      );
    }
  }
  return members;
}
