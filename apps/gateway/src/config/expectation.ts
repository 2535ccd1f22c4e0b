import type { JsonValue } from '@esdb-gater/types';
import { type TInteger, type TSchema, Type } from 'typebox';
import { Value } from 'typebox/value';
import { annotationsOf, nonNull } from './schema-kit.ts';

/** Describes the values that `schema` accepts. `path` ends with the unit of a number: `Ms`, `Seconds`, `Bytes`. */
export function expectedOf(schema: TSchema, path: string): string {
  const inner = nonNull(schema);
  return inner === schema ? wordsOf(schema, path) : `${wordsOf(inner, path)}, or null`;
}

function wordsOf(schema: TSchema, path: string): string {
  const { expected, names } = annotationsOf(schema);
  if (expected !== undefined) return expected;
  if (Type.IsUnion(schema)) return schema.anyOf.map((one) => wordsOf(one, path)).join(', ');
  if (Type.IsEnum(schema)) return oneOf(schema.enum);
  if (Type.IsBoolean(schema)) return 'true or false';
  if (Type.IsInteger(schema)) return `${unitOf(path)} ${boundsOf(schema)}`;
  if (Type.IsArray(schema)) return `a list of ${wordsOf(schema.items, path)}`;
  if (Type.IsRecord(schema)) {
    const [item = Type.Unknown()] = Object.values(schema.patternProperties);
    return `an object { <${names ?? 'name'}>: ${wordsOf(item, path)}, … }`;
  }
  if (Type.IsObject(schema)) {
    const members = Object.entries(schema.properties);
    return `{ ${members.map(([name, member]) => (Type.IsOptional(member) ? `${name}?` : name)).join(', ')} }`;
  }
  return 'a string';
}

function oneOf(values: readonly (string | number)[]): string {
  return values.length === 1 ? String(values[0]) : `one of ${values.join(', ')}`;
}

function unitOf(path: string): string {
  if (path.endsWith('Ms')) return 'milliseconds';
  if (path.endsWith('Seconds')) return 'seconds';
  return path.endsWith('Bytes') ? 'bytes' : 'an integer';
}

function boundsOf(schema: TInteger): string {
  const { minimum, maximum } = schema as TInteger & { readonly minimum: number; readonly maximum: number };
  return maximum === Number.MAX_SAFE_INTEGER ? `from ${minimum}` : `from ${minimum} to ${maximum}`;
}

/** The expectation, and the path of the problem inside the value. */
export interface Problem {
  readonly expected: string;
  /** The path inside the value; empty for the value itself. */
  readonly at: string;
}

/** Returns the first problem of `value`, or undefined when it fits `schema`. */
export function problemOf(schema: TSchema, value: JsonValue, path: string): Problem | undefined {
  if (Value.Check(schema, value)) return undefined;
  const [first] = Value.Errors(schema, value);
  const names = (first?.instancePath ?? '').split('/').slice(1).map(unescapePointer);
  let inner = schema;
  for (const [index, name] of names.entries()) {
    const member = memberOf(inner, name);
    const at = names.slice(0, index + 1).join('.');
    if (member === undefined) return { expected: nameExpected(inner), at };
    inner = member;
  }
  const at = names.join('.');
  return { expected: expectedOf(inner, at === '' ? path : at), at };
}

/** Returns the schema of a member, or undefined when `schema` has no member of this name. */
function memberOf(schema: TSchema, name: string): TSchema | undefined {
  const inner = nonNull(schema);
  if (Type.IsArray(inner)) return inner.items;
  if (Type.IsObject(inner)) return Object.hasOwn(inner.properties, name) ? inner.properties[name] : undefined;
  if (Type.IsUnion(inner)) return inner.anyOf.map((one) => memberOf(one, name)).find((one) => one);
  if (!Type.IsRecord(inner)) return undefined;
  return Object.entries(inner.patternProperties).find(([pattern]) => new RegExp(pattern).test(name))?.[1];
}

function nameExpected(schema: TSchema): string {
  const inner = nonNull(schema);
  if (!Type.IsRecord(inner)) return `one of the keys ${wordsOf(inner, '')}`;
  return `a ${annotationsOf(inner).names ?? 'name'} that matches ${Object.keys(inner.patternProperties).join()}`;
}

function unescapePointer(name: string): string {
  return name.replaceAll('~1', '/').replaceAll('~0', '~');
}
