import { type GaterError, invalidArgument, LIMITS } from '@esdb-gater/types';
import { isBase64 } from './base64.ts';

/** The members of an event that hold what it is about: JSON, or bytes with their media type. */
export interface EventContent {
  readonly data?: unknown;
  readonly dataBase64?: unknown;
  readonly contentType?: unknown;
}

/** A media type (RFC 9110, section 8.3.1) with parameters, of printable ASCII. */
const MEDIA_TYPE = /^[!#$%&'*+\-.^_`|~\dA-Za-z]+\/[!#$%&'*+\-.^_`|~\dA-Za-z]+(?:[ ;][ -~]*)?$/;

export function isMediaType(value: unknown): value is string {
  return typeof value === 'string' && value.length <= LIMITS.nameUnits && MEDIA_TYPE.test(value);
}

/**
 * Checks that an event has either `data`, or `dataBase64` with `contentType`. `undefined` is as absent.
 *
 * @param path names the event in errors
 * @throws `invalid_argument` with `path` and the reason `schema`, `data_base64` or `content_type`
 */
export function checkEventContent({ data, dataBase64, contentType }: EventContent, path: string): void {
  if (dataBase64 === undefined) {
    if (data === undefined) throw wrong(`${path}.data`, 'is missing; it must be any JSON value');
    if (contentType === undefined) return;
    throw wrong(`${path}.contentType`, 'belongs to `dataBase64`; it must be absent beside `data`');
  }
  if (data !== undefined) {
    throw wrong(`${path}.dataBase64`, 'must be absent beside `data`');
  }
  if (!isBase64(dataBase64)) {
    throw wrong(`${path}.dataBase64`, 'must be bytes in base64 (RFC 4648) with padding', 'data_base64');
  }
  if (isMediaType(contentType)) return;
  const expected = `must be a media type of at most ${LIMITS.nameUnits} characters, such as image/png`;
  throw wrong(`${path}.contentType`, expected, 'content_type');
}

function wrong(path: string, problem: string, reason = 'schema'): GaterError {
  return invalidArgument(reason, `\`${path}\` ${problem}`, { path });
}
