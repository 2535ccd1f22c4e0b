import type { JsonObject, JsonValue } from '@esdb-gater/types';
import { type TOptional, type TSchema, type TUnsafe, Type } from 'typebox';
import type { MethodName } from '../methods/method-table.ts';
import type { ParamsOf, ResultOf } from '../methods/method-types.ts';

/** A JSON Schema of a value of type `T`. As JSON it is plain JSON Schema 2020-12. */
export type Schema<T> = TUnsafe<T>;

/** A member that may be absent. */
export type OptionalSchema<T> = TOptional<TUnsafe<T>>;

/**
 * One schema for each member of `T`, optional where the member is: the compiler sees to it that a schema and
 * the type it stands for do not drift apart.
 */
export type Members<T> = {
  readonly [K in keyof T]-?: Record<never, never> extends Pick<T, K>
    ? OptionalSchema<Required<T>[K]>
    : Schema<T[K]>;
};

/** The shapes of a method; all other facts about it stand in its row of `METHODS`. */
export interface MethodSchemas<M extends MethodName> {
  /** One sentence for the descriptions of the protocol. */
  readonly summary: string;
  readonly params: Schema<ParamsOf<M>>;
  readonly result: Schema<ResultOf<M>>;
  /**
   * What a schema cannot say about several members together.
   *
   * @throws `invalid_argument`
   */
  check?(params: ParamsOf<M>): void;
}

/** The schemas of some methods by their names. */
export type SchemasOf<M extends MethodName> = { readonly [K in M]: MethodSchemas<K> };

/** What an error says when a value does not fit: in words, and by a stable reason. */
export interface Wording {
  /** What is expected, so that "expected <description>" reads well. */
  readonly description: string;
  /** The `reason` of the error. @default 'schema' */
  readonly reason?: string;
}

/** Keywords that describe a text to readers of the schema; `check` is what decides. */
export interface TextHints {
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly format?: 'date-time' | 'uuid';
  readonly contentEncoding?: 'base64';
}

/**
 * One of the forms that an object may have. Together the variants tell readers of the schema what `check` of the method
 * demands of several members; only `check` decides.
 */
export interface Variant {
  readonly title: string;
  /** Members that this form must have, beside those that the object requires anyway. */
  readonly required: readonly string[];
  /** Members that this form must not have. */
  readonly without?: readonly string[];
  /** Keywords that narrow members of this form. */
  readonly members?: Readonly<Record<string, object>>;
}

/** The annotation under which a schema carries its variants. */
export const VARIANTS = 'x-variants';

/** The annotation under which a text carries its known values, which only another check refuses. */
export const VALUES = 'x-values';

/** The annotation under which a schema carries the reason of its errors. */
export const REASON = 'x-reason';

function annotations(wording: Wording): { description: string; [REASON]?: string } {
  return wording.reason === undefined
    ? { description: wording.description }
    : { description: wording.description, [REASON]: wording.reason };
}

function typed<T>(schema: TSchema): Schema<T> {
  return schema as Schema<T>;
}

/** An object with exactly these members; `open` tolerates others, as answers of newer programs may have them. */
export function object<T>(
  members: Members<T>,
  options: {
    /** Names the schema in the descriptions of the protocol. */
    readonly title?: string;
    readonly description?: string;
    readonly open?: boolean;
    readonly variants?: readonly Variant[];
  } = {},
): Schema<T> {
  const { title, description, open, variants } = options;
  return typed(
    Type.Object(members as Record<string, TSchema>, {
      ...(open === true ? {} : { additionalProperties: false }),
      ...(title === undefined ? {} : { title }),
      ...(description === undefined ? {} : { description }),
      ...(variants === undefined ? {} : { [VARIANTS]: variants }),
    }),
  );
}

export function optional<T>(schema: Schema<T>): OptionalSchema<T> {
  return Type.Optional(schema) as unknown as OptionalSchema<T>;
}

export function array<T>(
  items: Schema<T>,
  options: { readonly min?: number; readonly max?: number } & Partial<Wording> = {},
): Schema<readonly T[]> {
  const { min, max, description = 'an array', reason } = options;
  return typed(
    Type.Array(items, {
      ...(min === undefined ? {} : { minItems: min }),
      ...(max === undefined ? {} : { maxItems: max }),
      ...annotations(reason === undefined ? { description } : { description, reason }),
    }),
  );
}

/** A text for which `check` holds. */
export function text(
  check: (value: string) => boolean,
  wording: Wording,
  hints: TextHints = {},
): Schema<string> {
  const base = Type.String({ ...hints, ...annotations(wording) });
  return typed(Type.Refine(base, (value: string) => check(value)));
}

/** Any text. What the hints say is checked elsewhere. */
export function anyText(
  description = 'a string',
  hints: TextHints & { readonly [VALUES]?: readonly string[] } = {},
): Schema<string> {
  return typed(Type.String({ ...hints, description }));
}

/** One of the given texts. */
export function oneOf<const T extends string>(values: readonly T[], reason?: string): Schema<T> {
  const description = `one of ${values.join(', ')}`;
  const wording = annotations(reason === undefined ? { description } : { description, reason });
  return typed(Type.Unsafe({ type: 'string', enum: [...values], ...wording }));
}

/** An integer within bounds; the upper one is never beyond what a double carries exactly. */
export function integer(
  minimum: number,
  options: { readonly maximum?: number; readonly reason?: string; readonly description?: string } = {},
): Schema<number> {
  const maximum = options.maximum ?? Number.MAX_SAFE_INTEGER;
  const description =
    options.description ??
    (options.maximum === undefined
      ? `an integer of at least ${minimum}`
      : `an integer from ${minimum} to ${maximum}`);
  const wording = annotations(
    options.reason === undefined ? { description } : { description, reason: options.reason },
  );
  return typed(Type.Integer({ minimum, maximum, ...wording }));
}

export function boolean(): Schema<boolean> {
  return typed(Type.Boolean({ description: 'true or false' }));
}

export function number(): Schema<number> {
  return typed(Type.Number({ description: 'a number' }));
}

/** Any JSON value. What came from a frame is one; what a caller hands over in process is checked apart. */
export function json(): Schema<JsonValue> {
  return typed(Type.Unsafe({ title: 'JsonValue', description: 'any JSON value' }));
}

export function jsonObject(description = 'an object'): Schema<JsonObject> {
  return typed(Type.Unsafe({ type: 'object', description }));
}

/** An object with any names as members, all of one kind. */
export function dictionary<T>(values: Schema<T>, description: string): Schema<Readonly<Record<string, T>>> {
  return typed(Type.Unsafe({ type: 'object', additionalProperties: values, description }));
}

/** Any one of the given schemas. */
export function anyOf<T>(variants: readonly Schema<T>[], wording: Wording): Schema<T> {
  return typed(Type.Unsafe({ anyOf: [...variants], ...annotations(wording) }));
}

/** `schema`, and not the value `excluded`. */
export function except<T>(schema: Schema<T>, excluded: T): Schema<T> {
  return typed(Type.Unsafe({ ...schema, not: { const: excluded } }));
}
