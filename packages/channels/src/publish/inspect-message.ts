import { JSON_DEPTH, utf8Bytes } from '@esdb-gater/primitives';
import { GaterError, invalidArgument, type JsonValue } from '@esdb-gater/types';

/** The result of one pass over a message. */
export interface MessageTraits {
  /**
   * A hash of 52 bits that is the same for equal messages, in any order of their members. It distinguishes a repeated
   * publish from a different one; it does not protect against a publisher who constructs two messages with the same
   * hash.
   */
  readonly hash: number;
}

/** Checks a message as {@link inspectMessage} does, for half of the time, without its hash. @throws the same */
export function checkMessage(message: JsonValue, maxBytes: number): void {
  inspect(message, maxBytes, { upperBytes: 0, low: 0, hashes: false });
}

/**
 * Checks in one pass that a message is a JSON value of at most `maxBytes` as JSON. A message is encoded only when it
 * may be too long.
 *
 * @throws `invalid_argument` (reason `message`), `payload_too_large` (with `bytes`, `maxBytes`)
 */
export function inspectMessage(message: JsonValue, maxBytes: number): MessageTraits {
  const pass = { upperBytes: 0, low: 0, hashes: true };
  const high = inspect(message, maxBytes, pass);
  return { hash: (high >>> 0) * 0x100000 + (pass.low & 0xfffff) };
}

/** Returns the upper bits of the hash. */
function inspect(message: JsonValue, maxBytes: number, pass: Pass): number {
  const high = visit(message, 0, pass);
  if (pass.upperBytes > maxBytes) {
    const bytes = utf8Bytes(JSON.stringify(message));
    if (bytes > maxBytes) {
      throw new GaterError(
        'payload_too_large',
        `the message must have at most ${maxBytes} bytes as JSON, got ${bytes}`,
        { details: { bytes, maxBytes } },
      );
    }
  }
  return high;
}

interface Pass {
  /** At least the bytes of the JSON text so far. */
  upperBytes: number;
  low: number;
  /** False when nobody asks for the hash. */
  readonly hashes: boolean;
}

function visit(value: unknown, depth: number, pass: Pass): number {
  switch (typeof value) {
    case 'string':
      // A UTF-16 unit is at most six bytes: \u001f.
      pass.upperBytes += value.length * 6 + 3;
      return hashText(value, 1, pass);
    case 'number':
      if (!Number.isFinite(value)) throw refused(`the number ${value}`);
      pass.upperBytes += 26;
      return pass.hashes ? hashText(String(value), 2, pass) : 0;
    case 'boolean':
      pass.upperBytes += 6;
      return mix(value ? 3 : 4, 0, pass);
    case 'object':
      if (value === null) {
        pass.upperBytes += 5;
        return mix(5, 0, pass);
      }
      if (depth === JSON_DEPTH.value) throw refused(`more than ${JSON_DEPTH.value} levels`);
      pass.upperBytes += 3;
      return Array.isArray(value) ? visitArray(value, depth, pass) : visitObject(value, depth, pass);
    default:
      throw refused(value === undefined ? 'undefined' : `a ${typeof value}`);
  }
}

function visitArray(list: readonly unknown[], depth: number, pass: Pass): number {
  let hash = 6;
  for (let at = 0; at < list.length; at++) hash = mix(hash, visit(list[at], depth + 1, pass), pass);
  return hash;
}

function visitObject(object: object, depth: number, pass: Pass): number {
  // A `Date`, for example, would be encoded differently from the members that are visible here.
  if (typeof (object as { toJSON?: unknown }).toJSON === 'function') throw refused('an object with `toJSON`');
  let sum = 0;
  for (const key in object) {
    if (!Object.hasOwn(object, key)) continue;
    const value = (object as Record<string, unknown>)[key];
    pass.upperBytes += key.length * 6 + 4;
    // Summed up, so that the order of members does not matter.
    sum = (sum + mix(hashText(key, 7, pass), visit(value, depth + 1, pass), pass)) | 0;
  }
  return mix(8, sum, pass);
}

function hashText(text: string, seed: number, pass: Pass): number {
  if (!pass.hashes) return 0;
  let hash = 0x811c9dc5 ^ seed;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return mix(hash, text.length, pass);
}

function mix(left: number, right: number, pass: Pass): number {
  let hash = Math.imul(left ^ (right + 0x9e3779b9 + (left << 6) + (left >>> 2)), 0x85ebca6b);
  hash ^= hash >>> 13;
  // Must not depend on the order, since members of an object come in any order.
  pass.low = (pass.low + Math.imul(hash, 0xc2b2ae35)) | 0;
  return hash;
}

function refused(found: string): GaterError {
  return invalidArgument('message', `the message must be a JSON value, got one with ${found}`);
}
