import { describeValue } from '@esdb-gater/primitives';
import type { TSchema } from 'typebox';
import { REASON } from './schema-kit.ts';

/** Where and why a value does not fit a schema. */
export interface Violation {
  readonly reason: string;
  /** `events[0].type`; the empty string is the whole value. */
  readonly path: string;
  readonly actual: string;
  readonly expected: string;
}

/** What a violation says of a value that is not there. */
export const MISSING = 'missing';

/** What a violation says of a member that the schema does not have. */
export const UNKNOWN_MEMBER = 'an unknown member';

/** The keywords that the schemas of this package are made of. */
interface Keywords {
  readonly type?: 'string' | 'integer' | 'number' | 'boolean' | 'object' | 'array';
  readonly description?: string;
  readonly [REASON]?: string;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Keywords[];
  readonly not?: { readonly const: unknown };
  readonly properties?: Readonly<Record<string, Keywords>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: false | Keywords;
  readonly items?: Keywords;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly '~refine'?: readonly { check(value: unknown): boolean }[];
}

/** A longer name of a member is cut in the path. */
const MAX_NAME_UNITS = 64;

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function hasType(type: NonNullable<Keywords['type']>, value: unknown): boolean {
  switch (type) {
    case 'object':
      return isObject(value);
    case 'array':
      return Array.isArray(value);
    case 'integer':
      return Number.isInteger(value);
    case 'number':
      return Number.isFinite(value);
    default:
      return typeof value === type;
  }
}

function scalarFits(schema: Keywords, value: unknown): boolean {
  if (schema.type !== undefined && !hasType(schema.type, value)) return false;
  if (schema.enum?.includes(value) === false) return false;
  if (schema.not !== undefined && schema.not.const === value) return false;
  if (typeof value === 'number') {
    if (schema.minimum !== undefined && value < schema.minimum) return false;
    if (schema.maximum !== undefined && value > schema.maximum) return false;
  }
  if (Array.isArray(value)) {
    if (schema.minItems !== undefined && value.length < schema.minItems) return false;
    if (schema.maxItems !== undefined && value.length > schema.maxItems) return false;
  }
  if (schema['~refine']?.every((rule) => rule.check(value)) === false) return false;
  return schema.anyOf === undefined || schema.anyOf.some((one) => find(one, value, '') === undefined);
}

function find(schema: Keywords, value: unknown, path: string): Violation | undefined {
  if (!scalarFits(schema, value)) {
    return {
      reason: schema[REASON] ?? 'schema',
      path,
      actual: value === undefined ? MISSING : describeValue(value),
      expected: schema.description ?? `${schema.type === 'object' ? 'an' : 'a'} ${schema.type ?? 'value'}`,
    };
  }
  if (isObject(value)) return findInObject(schema, value, path);
  if (Array.isArray(value) && schema.items !== undefined) {
    for (const [index, item] of value.entries()) {
      const violation = find(schema.items, item, `${path}[${index}]`);
      if (violation !== undefined) return violation;
    }
  }
  return undefined;
}

function memberPath(path: string, key: string): string {
  const shown = key.length > MAX_NAME_UNITS ? `${key.slice(0, MAX_NAME_UNITS)}…` : key;
  if (!/^[A-Za-z_$][\w$]*$/.test(shown)) return `${path}[${JSON.stringify(shown)}]`;
  return path === '' ? shown : `${path}.${shown}`;
}

function findInObject(
  schema: Keywords,
  value: Readonly<Record<string, unknown>>,
  path: string,
): Violation | undefined {
  const { properties = {}, required = [], additionalProperties } = schema;
  for (const key of required) {
    if (value[key] !== undefined || properties[key] === undefined) continue;
    // A member that may hold anything is missing only when it is not there at all.
    if (key in value && find(properties[key], undefined, '') === undefined) continue;
    return {
      reason: 'schema',
      path: memberPath(path, key),
      actual: MISSING,
      expected: properties[key].description ?? 'a value',
    };
  }
  for (const key of Object.keys(value)) {
    const own = Object.hasOwn(properties, key) ? properties[key] : undefined;
    if (own !== undefined) {
      if (value[key] === undefined && !required.includes(key)) continue;
      const violation = find(own, value[key], memberPath(path, key));
      if (violation !== undefined) return violation;
    } else if (additionalProperties === false) {
      return {
        reason: 'schema',
        path: memberPath(path, key),
        actual: UNKNOWN_MEMBER,
        expected: `no members but ${Object.keys(properties).join(', ') || '(none)'}`,
      };
    } else if (additionalProperties !== undefined) {
      const violation = find(additionalProperties, value[key], memberPath(path, key));
      if (violation !== undefined) return violation;
    }
  }
  return undefined;
}

/** The first reason why `value` does not fit `schema`, or undefined when it does. Linear in the value. */
export function explain(schema: TSchema, value: unknown): Violation | undefined {
  return find(schema as Keywords, value, '');
}
