import { describeValue, isBase64, isMediaType, isUuid, uuidV5 } from '@esdb-gater/primitives';
import {
  type GaterError,
  invalidArgument,
  isName,
  type JsonObject,
  type JsonValue,
  type NewBytesEvent,
  type NewEvent,
} from '@esdb-gater/types';

/** Attribute names of CloudEvents 1.0.2, section "Naming Conventions". */
const ATTRIBUTE_NAME = /^[a-z0-9]+$/;

/** Members that become members of the event; all other attributes go into `metadata.cloudevent`. */
const TAKEN = new Set(['id', 'type', 'data', 'data_base64']);

/** Optional attributes that CloudEvents 1.0.2 defines as non-empty strings. */
const NON_EMPTY_ATTRIBUTES = ['subject', 'time', 'dataschema', 'datacontenttype'] as const;

/**
 * Converts a CloudEvent (1.0, JSON format) to an event with its `type` and `data` (or `dataBase64`), and its `id` when that is a UUID,
 * else the UUIDv5 (URL namespace) of `source + "\n" + id`. All other attributes go into `metadata.cloudevent`, and so does
 * an id that is not a UUID. An attribute that is null is absent.
 *
 * @param path names the CloudEvent in errors, such as `[2]` in a batch
 * @throws `invalid_argument`, reason `cloud_event`
 */
export function cloudEventToEvent(
  cloudEvent: JsonObject,
  path: string = '',
): (NewEvent | NewBytesEvent) & { readonly id: string } {
  const members = Object.entries(cloudEvent).filter(([name, value]) => value !== null || name === 'data');
  const given = new Map<string, JsonValue>(members);
  if (given.get('specversion') !== '1.0') throw refused(path, 'specversion', '"1.0"', given);
  const id = requiredText(path, 'id', given);
  const source = requiredText(path, 'source', given);
  const type = given.get('type');
  if (!isName(type)) {
    throw refused(path, 'type', 'a string of 1 to 255 UTF-16 units without control characters', given);
  }
  for (const name of NON_EMPTY_ATTRIBUTES) if (given.has(name)) requiredText(path, name, given);
  const attributes = members.filter(([name]) => !TAKEN.has(name));
  for (const [name, value] of attributes) checkAttribute(path, name, value);
  return {
    id: isUuid(id) ? id.toLowerCase() : uuidV5(`${source}\n${id}`),
    type,
    ...contentOf(path, given),
    metadata: {
      cloudevent: Object.fromEntries([...attributes, ...(isUuid(id) ? [] : [['id', id] as const])]),
    },
  };
}

/** CloudEvents does not require a type for bytes. */
const UNKNOWN_BYTES = 'application/octet-stream';

/** Returns the data of a CloudEvent: JSON, or the bytes of `data_base64` with the type that `datacontenttype` gives. */
function contentOf(
  path: string,
  given: ReadonlyMap<string, JsonValue>,
): Pick<NewEvent, 'data'> | Pick<NewBytesEvent, 'dataBase64' | 'contentType'> {
  if (!given.has('data_base64')) return { data: given.get('data') ?? null };
  if ((given.get('data') ?? null) !== null) {
    throw invalidCloudEvent(
      `${nameOf(path, 'data')} and \`data_base64\` of a CloudEvent must not both be given`,
    );
  }
  const dataBase64 = given.get('data_base64');
  if (!isBase64(dataBase64)) {
    throw refused(path, 'data_base64', 'bytes in base64 (RFC 4648) with padding', given);
  }
  const contentType = given.get('datacontenttype') ?? UNKNOWN_BYTES;
  if (!isMediaType(contentType)) {
    throw refused(path, 'datacontenttype', 'a media type, such as image/png', given);
  }
  return { dataBase64, contentType };
}

function requiredText(path: string, name: string, given: ReadonlyMap<string, JsonValue>): string {
  const value = given.get(name);
  if (typeof value === 'string' && value !== '') return value;
  throw refused(path, name, 'a string that is not empty', given);
}

function checkAttribute(path: string, name: string, value: JsonValue): void {
  const what = nameOf(path, name);
  if (!ATTRIBUTE_NAME.test(name)) {
    throw invalidCloudEvent(
      `${what} is not a name of a CloudEvents attribute: it must consist of the characters a-z and 0-9`,
    );
  }
  if (!['string', 'number', 'boolean'].includes(typeof value)) {
    throw invalidCloudEvent(`the extension ${what} must be a string, a number or a boolean`);
  }
}

function refused(
  path: string,
  name: string,
  expected: string,
  given: ReadonlyMap<string, JsonValue>,
): GaterError {
  const actual = given.has(name) ? describeValue(given.get(name)) : 'nothing';
  return invalidCloudEvent(`${nameOf(path, name)} of a CloudEvent must be ${expected}, got ${actual}`);
}

function nameOf(path: string, name: string): string {
  return `\`${path === '' ? '' : `${path}.`}${name.slice(0, 64)}\``;
}

/** Creates the error for something that is not a valid CloudEvent. */
export function invalidCloudEvent(message: string): GaterError {
  return invalidArgument('cloud_event', message);
}
