import {
  type ErrorDetails,
  type GaterError,
  invalidArgument,
  type JsonValue,
  type NewBytesEvent,
  type NewEvent,
  type RecordedEvent,
} from '@esdb-gater/types';
import type { AnyEvent } from '../gater.ts';
import { describeIssues, type StandardResult, type StandardSchemaV1 } from './standard-schema.ts';

/**
 * Turns the data of one schema version into that of the next. It must be pure: the same event is read again and again. The
 * parameter's type is that of the older version.
 */
export type Upcaster = (data: never, event: RecordedEvent) => unknown;

/** What a program knows of one type of event. */
export interface EventTypeSchema<Input = unknown, Output = Input> {
  /** The version that appends write, from 1. @default 1 */
  readonly version?: number;
  /** By the version that each one begins with: `upcasters[1]` turns version 1 into version 2. One for each older version. */
  readonly upcasters?: { readonly [fromVersion: number]: Upcaster };
  /**
   * Validates `data` of the newest version: what is appended, and what is read once it is upcast. Readers get the output of
   * the validator; the store keeps what was appended.
   */
  readonly data?: StandardSchemaV1<Input, Output>;
}

/** An event, with JSON or bytes, that is to be appended. */
type AppendedEvent = NewEvent | NewBytesEvent;

/** The types of event that a program knows, by name. */
export interface EventTypes {
  readonly [type: string]: EventTypeSchema;
}

/** The types of event of the union `E`, each of which must be named. */
export type EventTypesOf<E extends AnyEvent> = {
  readonly [Type in E['type']]: EventTypeSchema<unknown, Extract<E, { readonly type: Type }>['data']>;
};

type InputOf<T> = T extends { readonly data: StandardSchemaV1<infer Input, infer _> } ? Input : JsonValue;
type OutputOf<T> = T extends { readonly data: StandardSchemaV1<infer _, infer Output> } ? Output : JsonValue;

/** The events that are read with a schema. */
export type EventsRead<T extends EventTypes> = {
  [Type in keyof T & string]: NewEvent<Type, OutputOf<T[Type]>>;
}[keyof T & string];

/** The events that are appended with a schema. */
export type EventsAppended<T extends EventTypes> = {
  [Type in keyof T & string]: NewEvent<Type, InputOf<T[Type]>>;
}[keyof T & string];

/** The events of a program: their types, versions and validators. Pass it to `withEvents`. */
export interface EventSchema<E extends AnyEvent = AnyEvent, A extends AnyEvent = E> {
  /**
   * Brings an event to its newest version and validates it. An event of an unknown type is returned as it is.
   *
   * @throws `invalid_argument` (reason `event_schema`)
   */
  read(event: RecordedEvent): RecordedEvent | Promise<RecordedEvent>;
  /**
   * Validates an event that is to be appended, and writes its version into `metadata.schemaVersion` when that is not 1. Bytes
   * have a content type instead, and pass as they are.
   *
   * @throws `invalid_argument` (reason `event_schema`)
   */
  append(event: AppendedEvent): AppendedEvent | Promise<AppendedEvent>;
  /** Only for the compiler. */
  readonly '~types'?: { readonly read: E; readonly appended: A };
}

/**
 * Describes the events of a program. Their types come from the validators, or from a union: `eventSchema<UserEvent>({…})`.
 *
 * The schema version of an event is in `metadata.schemaVersion`; without it the version is 1.
 *
 * @throws `invalid_argument` (reason `event_schema`) for a version that is not a positive integer, or an older version
 * without an upcaster
 */
export function eventSchema<const T extends EventTypes>(
  types: T,
): EventSchema<EventsRead<T>, EventsAppended<T>>;
export function eventSchema<E extends AnyEvent>(types: EventTypesOf<E>): EventSchema<E>;
export function eventSchema(types: EventTypes): EventSchema {
  const known = new Map(Object.entries(types).map(([name, type]) => [name, new KnownType(name, type)]));
  return {
    read: (event) => known.get(event.type)?.read(event) ?? event,
    append(event) {
      if (event.data === undefined) return event;
      const type = known.get(event.type);
      if (type !== undefined) return type.append(event);
      throw invalidSchema(`the event type ${JSON.stringify(event.type)} must be one of the schema`, {
        problem: 'unknown_type',
        type: event.type,
      });
    },
  };
}

/** One type of event with its current version. */
class KnownType {
  readonly #name: string;
  readonly #version: number;
  readonly #upcasters: readonly Upcaster[];
  readonly #validator: StandardSchemaV1 | undefined;

  constructor(name: string, { version = 1, upcasters = {}, data }: EventTypeSchema) {
    if (!isSchemaVersion(version)) {
      throw invalidSchema(`the version of ${name} must be an integer of at least 1, got ${String(version)}`, {
        problem: 'definition',
        type: name,
      });
    }
    this.#name = name;
    this.#version = version;
    this.#validator = data;
    this.#upcasters = Array.from({ length: version - 1 }, (_, index) => {
      const upcaster = upcasters[index + 1];
      if (typeof upcaster === 'function') return upcaster;
      throw invalidSchema(`the type ${name} must have an upcaster from version ${index + 1}`, {
        problem: 'definition',
        type: name,
      });
    });
  }

  read(event: RecordedEvent): RecordedEvent | Promise<RecordedEvent> {
    // Bytes instead of `data` have a content type, not a version.
    if (event.data === undefined) return event;
    const data = this.#upcast(event);
    const validator = this.#validator;
    if (validator === undefined) return data === event.data ? event : { ...event, data };
    const take = (result: StandardResult<unknown>): RecordedEvent => {
      if (result.issues === undefined) return { ...event, data: result.value as JsonValue };
      throw this.#invalidData(result.issues, whereOf(event));
    };
    const result = validator['~standard'].validate(data);
    return result instanceof Promise ? result.then(take) : take(result);
  }

  append(event: NewEvent): NewEvent | Promise<NewEvent> {
    const validator = this.#validator;
    const stamped = this.#stamp(event);
    if (validator === undefined) return stamped;
    const take = (result: StandardResult<unknown>): NewEvent => {
      if (result.issues === undefined) return stamped;
      throw this.#invalidData(result.issues, {});
    };
    const result = validator['~standard'].validate(event.data);
    return result instanceof Promise ? result.then(take) : take(result);
  }

  #upcast(event: RecordedEvent): JsonValue {
    const { schemaVersion = 1 } = event.metadata ?? {};
    if (!isSchemaVersion(schemaVersion)) {
      throw this.#refused('must have an integer of at least 1 in `metadata.schemaVersion`', {
        problem: 'schema_version',
        ...whereOf(event),
      });
    }
    if (schemaVersion > this.#version) {
      throw this.#refused(
        `has schema version ${schemaVersion}, but this program knows versions up to ${this.#version}`,
        { problem: 'newer_version', schemaVersion, known: this.#version, ...whereOf(event) },
      );
    }
    let data: unknown = event.data;
    for (let version = schemaVersion; version < this.#version; version++) {
      data = this.#upcasters[version - 1]?.(data as never, event);
    }
    return data as JsonValue;
  }

  /** Version 1 is not written, so that programs with and without a schema append the same event. */
  #stamp(event: NewEvent): NewEvent {
    const given = event.metadata?.['schemaVersion'];
    if (given !== undefined && given !== this.#version) {
      throw this.#refused(`must have schema version ${this.#version}, got ${JSON.stringify(given)}`, {
        problem: 'schema_version',
      });
    }
    if (given !== undefined || this.#version === 1) return event;
    return { ...event, metadata: { ...event.metadata, schemaVersion: this.#version } };
  }

  #invalidData(issues: Parameters<typeof describeIssues>[0], where: ErrorDetails): GaterError {
    const texts = describeIssues(issues);
    return this.#refused(`has invalid data: ${texts.join('; ')}`, {
      problem: 'invalid_data',
      issues: texts,
      ...where,
    });
  }

  #refused(what: string, details: ErrorDetails): GaterError {
    return invalidSchema(`an event of type ${this.#name} ${what}`, { type: this.#name, ...details });
  }
}

function isSchemaVersion(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 1;
}

function whereOf({ storeId, streamId, version }: RecordedEvent): ErrorDetails {
  return { storeId, streamId, version };
}

function invalidSchema(message: string, details: ErrorDetails): GaterError {
  return invalidArgument('event_schema', message, details);
}
