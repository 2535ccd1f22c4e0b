import { isUuid, uuidV5 } from '@esdb-gater/primitives';
import { invalidArgument, isName, type JsonObject, type JsonValue, type NewEvent } from '@esdb-gater/types';

/** Attribute names of CloudEvents 1.0.2, section "Naming Conventions". */
const ATTRIBUTE_NAME = /^[a-z0-9]+$/;

/** Members that become members of the event; all other attributes go into `metadata.cloudevent`. */
const TAKEN = new Set(['id', 'type', 'data']);

/**
 * The event that a CloudEvent (1.0, JSON format) becomes: its `type` and `data`, its `id` when that is a UUID, else
 * the UUIDv5 (URL namespace) of `source + "\n" + id`; all other attributes stand in `metadata.cloudevent`, with an
 * id that is no UUID, so that nothing is lost.
 *
 * @throws `invalid_argument`, reason `cloud_event`
 */
export function cloudEventToEvent(cloudEvent: JsonObject): NewEvent & { readonly id: string } {
  if (cloudEvent['specversion'] !== '1.0') {
    throw refused(`specversion is ${JSON.stringify(cloudEvent['specversion'])}; expected "1.0"`);
  }
  if (cloudEvent['data_base64'] !== undefined)
    throw refused('data_base64 is not taken; expected data as JSON');
  const id = requiredText(cloudEvent, 'id');
  const source = requiredText(cloudEvent, 'source');
  const type = requiredText(cloudEvent, 'type');
  if (!isName(type)) throw refused('type is no text of 1 to 255 characters');
  const attributes = Object.entries(cloudEvent).filter(([name]) => !TAKEN.has(name));
  for (const [name, value] of attributes) checkAttribute(name, value);
  return {
    id: isUuid(id) ? id.toLowerCase() : uuidV5(`${source}\n${id}`),
    type,
    data: cloudEvent['data'] ?? null,
    metadata: {
      cloudevent: Object.fromEntries([...attributes, ...(isUuid(id) ? [] : [['id', id] as const])]),
    },
  };
}

function requiredText(cloudEvent: JsonObject, name: string): string {
  const value = cloudEvent[name];
  if (typeof value !== 'string' || value === '')
    throw refused(`${name} is missing or no text; expected a text`);
  return value;
}

function checkAttribute(name: string, value: JsonValue): void {
  if (!ATTRIBUTE_NAME.test(name))
    throw refused(`"${name}" is no attribute name; expected lower-case letters and digits`);
  if (!['string', 'number', 'boolean'].includes(typeof value)) {
    throw refused(`the attribute "${name}" is neither text, number nor boolean`);
  }
}

function refused(message: string): Error {
  return invalidArgument('cloud_event', `not a CloudEvent that can be taken: ${message}`);
}
