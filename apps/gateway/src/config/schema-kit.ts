import { MAX_TIMER_MS } from '@esdb-gater/primitives';
import type { JsonValue } from '@esdb-gater/types';
import {
  type TArray,
  type TBoolean,
  type TEnum,
  type TInteger,
  type TNull,
  type TObject,
  type TProperties,
  type TSchema,
  type TString,
  type TUnion,
  Type,
} from 'typebox';

/** The annotations of a setting, in addition to its JSON Schema. */
export interface Annotations {
  /** A description of the setting, for `--help` and the documents. */
  readonly description?: string;
  readonly default?: JsonValue;
  /** A description of valid values, if the one derived from the schema is not clear enough. */
  readonly expected?: string;
  /** The meaning of null or an absent member. */
  readonly whenNull?: string;
  /** The value is never shown, and may come from a file that the `…File` setting names. */
  readonly secret?: true;
  /** The meaning of a record's names. */
  readonly names?: string;
}

/** The annotations of a setting whose values are of type `T`; only a nullable setting needs no default. */
interface Setting<T> extends Annotations {
  readonly description: string;
  readonly default?: T & JsonValue;
}

interface TextSetting extends Setting<string> {
  readonly expected?: string;
  readonly pattern?: string;
}

/** Returns the annotations of a schema; a nullable one has those of the schema that it wraps. */
export function annotationsOf(schema: TSchema): Annotations {
  const inner = nonNull(schema);
  return inner === schema ? (schema as Annotations) : { default: null, ...(inner as Annotations) };
}

/** Returns the schema that a nullable one wraps, or the schema itself. */
export function nonNull(schema: TSchema): TSchema {
  const isNullable = Type.IsUnion(schema) && schema.anyOf.some(Type.IsNull);
  return isNullable ? (schema.anyOf.find((one) => !Type.IsNull(one)) ?? schema) : schema;
}

/** Creates the schema of the settings below one name. */
export function section<P extends TProperties>(settings: P): TObject<P> {
  return Type.Object(settings, { additionalProperties: false });
}

export function text(setting: TextSetting): TString {
  return Type.String({ minLength: 1, ...setting });
}

export function flag(setting: Setting<boolean>): TBoolean {
  return Type.Boolean({ ...setting });
}

export function integer(minimum: number, maximum: number | undefined, setting: Setting<number>): TInteger {
  return Type.Integer({ minimum, maximum: maximum ?? Number.MAX_SAFE_INTEGER, ...setting });
}

/** Creates the schema of a time in milliseconds that a timer can wait. */
export function duration(minimum: number, setting: Setting<number>): TInteger {
  return integer(minimum, MAX_TIMER_MS, setting);
}

export function oneOf<const V extends string[]>(
  values: readonly [...V],
  setting: Setting<V[number]>,
): TEnum<V> {
  return Type.Enum<V>(values, { ...setting });
}

/** Creates the schema of a list of texts, which commas separate in a variable or a flag. */
export function list(item: string, setting: Setting<readonly string[]>): TArray<TString> {
  return Type.Array(Type.String({ minLength: 1, expected: item }), { ...setting });
}

/** Allows null as a value of `schema`, and makes it the default if there is no other default. */
export function nullable<S extends TSchema>(schema: S): TUnion<[S, TNull]> {
  return Type.Union([schema, Type.Null()]);
}
