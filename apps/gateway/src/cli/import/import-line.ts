import { describeValue } from '@esdb-gater/primitives';
import { prepareEvents, validateParams } from '@esdb-gater/protocol';
import { GaterError, type JsonObject, type NewBytesEvent, type NewEvent } from '@esdb-gater/types';
import { cloudEventToEvent } from '../../http/cloud-event.ts';
import { type InputLine, type InputPlace, LineError, parseLine } from '../lines.ts';
import type { EventIds } from './event-ids.ts';

/** An event of an import. */
export interface ImportedEvent {
  readonly place: InputPlace;
  readonly streamId: string;
  readonly event: (NewEvent | NewBytesEvent) & { readonly id: string };
  /** True when the line gave the id: then a store may have that id with other content. */
  readonly hasOwnId: boolean;
}

export interface ImportLineOptions {
  readonly storeId: string;
  /** The stream of all events. */
  readonly stream: string | undefined;
  readonly ids: EventIds;
  /** What an event may weigh as JSON. */
  readonly messageBytes: number;
}

const EVENT_MEMBERS = ['type', 'data', 'dataBase64', 'contentType', 'id', 'metadata', 'tags'] as const;

/** What a recorded event has besides, as `read` prints it. The store gives the copy its own. */
const RECORDED_MEMBERS = ['storeId', 'version', 'position', 'timestamp', 'epochUs'];

const MEMBERS: ReadonlySet<string> = new Set(['streamId', ...EVENT_MEMBERS, ...RECORDED_MEMBERS]);

/**
 * Reads a line as `{ streamId, type, data, id?, metadata?, tags? }`, as a recorded event, or as a CloudEvent in JSON.
 * Checks everything that the gateway will check of the event itself, so that a bad line is found before it is sent.
 *
 * @throws LineError
 */
export function importLine(line: InputLine, options: ImportLineOptions): ImportedEvent {
  const object = parseObject(line);
  const isCloudEvent = object['specversion'] !== undefined;
  if (!isCloudEvent) refuseUnknownMembers(line, object);
  const streamId = streamOf(line, isCloudEvent ? 'subject' : 'streamId', object, options.stream);
  try {
    const event = isCloudEvent ? cloudEventToEvent(object) : plainEvent(object);
    validateParams('appendEvents', { storeId: options.storeId, streamId, events: [event] });
    // The id is part of what the gateway weighs, and depth is bounded before the content is walked for an id.
    const { messageBytes, ids } = options;
    prepareEvents([{ ...event, id: event.id ?? SOME_ID }], { messageBytes });
    const id = event.id?.toLowerCase() ?? ids.idOf(streamId, event);
    return { place: placeOf(line), streamId, event: { ...event, id }, hasOwnId: event.id !== undefined };
  } catch (error) {
    if (error instanceof LineError || !GaterError.is(error)) throw error;
    throw new LineError(line, `is not a valid event: ${withoutPath(error.message)}`, asOfLine(error));
  }
}

/** As long as any other. */
const SOME_ID = '00000000-0000-0000-0000-000000000000';

function parseObject(line: InputLine): JsonObject {
  const value = parseLine(line, hintFor);
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as JsonObject;
  throw new LineError(line, `must be a JSON object, got ${describeValue(value)}`);
}

const EXAMPLE = '{"streamId":"orders-1","type":"order_placed","data":{}}';

/** Says what to do with a text that looks like another format. */
function hintFor(text: string): string {
  if (text.startsWith('{')) {
    return /[{[,]$/.test(text) ? 'each event must stand on one line of its own, as `jq -c .` writes it' : '';
  }
  return /[,;\t]/.test(text) ? `it looks like CSV; write each row as one object, such as ${EXAMPLE}` : '';
}

function refuseUnknownMembers(line: InputLine, object: JsonObject): void {
  const unknown = Object.keys(object).find((name) => !MEMBERS.has(name));
  if (unknown === undefined) return;
  const known = ['streamId', ...EVENT_MEMBERS].join(', ');
  throw new LineError(line, `must have only the members ${known}, got ${describeValue(unknown)}`);
}

function streamOf(line: InputLine, member: string, object: JsonObject, stream: string | undefined): string {
  const value = stream ?? object[member];
  if (value !== undefined && value !== null) return value as string;
  throw new LineError(line, `must name a stream; give --stream, or the member "${member}"`);
}

function plainEvent(object: JsonObject): NewEvent | NewBytesEvent {
  const members = EVENT_MEMBERS.filter((name) => Object.hasOwn(object, name));
  return Object.fromEntries(members.map((name) => [name, object[name]])) as unknown as NewEvent;
}

/** The gateway's checks name the event by its place in a call: here there is one event per line. */
function withoutPath(message: string): string {
  return message.replaceAll('events[0].', '').replaceAll('`events[0]`', 'the event');
}

function asOfLine(error: GaterError): GaterError {
  const { path } = error.details;
  if (typeof path !== 'string') return error;
  const details = { ...error.details, path: path.replace(/^events\[0\]\.?/, '') };
  return new GaterError(error.code, error.message, { details, cause: error });
}

function placeOf({ number, item }: InputLine): InputPlace {
  return item === undefined ? { number } : { number, item };
}
