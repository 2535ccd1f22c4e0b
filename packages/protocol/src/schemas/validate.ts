import { GaterError, invalidArgument } from '@esdb-gater/types';
import type { TSchema } from 'typebox';
import { Compile } from 'typebox/schema';
import { isMethodName, type MethodName } from '../methods/method-table.ts';
import type { ParamsOf, ResultOf } from '../methods/method-types.ts';
import { explain, MISSING, UNKNOWN_MEMBER, type Violation } from './explain.ts';
import { METHOD_SCHEMAS } from './method-schemas.ts';
import { type MethodSchemas, type Schema, VALUES, VARIANTS } from './schema-kit.ts';

type Check = (value: unknown) => boolean;

/** What only describes a text where a refinement decides: compiled in, it would be checked twice. */
const HINTS: ReadonlySet<string> = new Set([
  'minLength',
  'maxLength',
  'pattern',
  'format',
  'contentEncoding',
  'title',
  'description',
  VARIANTS,
  VALUES,
]);

function withoutHints(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(withoutHints);
  if (typeof schema !== 'object' || schema === null) return schema;
  // Descriptors, as refinements and options stand in members that are not enumerable.
  const copy: Record<string, unknown> = {};
  for (const key of Object.getOwnPropertyNames(schema)) {
    const value: unknown = Reflect.get(schema, key);
    if (key === '~refine') Object.defineProperty(copy, key, { value });
    else if (key === 'properties') copy[key] = mapValues(Object(value));
    else if (!key.startsWith('~') && !HINTS.has(key)) copy[key] = withoutHints(value);
  }
  return copy;
}

function mapValues(properties: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(properties).map(([key, value]) => [key, withoutHints(value)]));
}

/**
 * A function that tells whether a value fits. It is generated code where the platform allows that, and walks
 * the schema where a content security policy forbids it.
 */
export function compileCheck(schema: TSchema): Check {
  const validator = Compile(withoutHints(schema) as TSchema);
  return (value) => validator.Check(value);
}

/** Compiled when a method is first called: a program that calls three methods compiles three schemas. */
const checks = new WeakMap<TSchema, Check>();

function fits<T>(schema: Schema<T>, value: unknown): value is T {
  let check = checks.get(schema);
  if (check === undefined) {
    check = compileCheck(schema);
    checks.set(schema, check);
  }
  return check(value);
}

function wordsOf(violation: Violation): string {
  const where = violation.path === '' ? 'the parameters' : `\`${violation.path}\``;
  if (violation.actual === UNKNOWN_MEMBER)
    return `${where} is ${violation.actual}; there are ${violation.expected}`;
  return violation.actual === MISSING
    ? `${where} is missing; it must be ${violation.expected}`
    : `${where} must be ${violation.expected}, got ${violation.actual}`;
}

/** The `not_supported` of a method that is not in the table. */
export function unknownMethod(method: string): GaterError {
  const shown = method.length > 64 ? `${method.slice(0, 64)}…` : method;
  return new GaterError('not_supported', `${JSON.stringify(shown)} is not a method of this protocol`);
}

/**
 * `params`, as what the method takes. Unknown members are refused, as what is not understood must not be
 * ignored; a member that is `undefined` counts as absent. Whether the data of events is JSON is not asked:
 * what came over a wire is, and what comes in process passes `prepareParams`.
 *
 * Costs about a microsecond for an append of one event.
 *
 * @throws `not_supported` for an unknown method, `invalid_argument` with `reason`, `path`, `actual` and `expected`
 */
export function validateParams<M extends MethodName>(method: M, params: unknown): ParamsOf<M>;
export function validateParams(method: string, params: unknown): unknown;
export function validateParams(method: string, params: unknown): unknown {
  if (!isMethodName(method)) throw unknownMethod(method);
  return checked(METHOD_SCHEMAS[method], params);
}

function checked<M extends MethodName>(schemas: MethodSchemas<M>, params: unknown): ParamsOf<M> {
  if (!fits(schemas.params, params)) {
    const violation = explain(schemas.params, params);
    if (violation === undefined) throw invalidArgument('schema', 'the parameters do not fit the method');
    const { reason, path, actual, expected } = violation;
    throw invalidArgument(reason, wordsOf(violation), { path, actual, expected });
  }
  schemas.check?.(params);
  return params;
}

/**
 * `result`, as what the method resolves to; members that are not known are let through.
 *
 * @throws `internal` when another program answered what the protocol does not allow
 */
export function validateResult<M extends MethodName>(method: M, result: unknown): ResultOf<M> {
  const schema: Schema<ResultOf<M>> = METHOD_SCHEMAS[method].result;
  if (fits(schema, result)) return result;
  const violation = explain(schema, result);
  const words = violation === undefined ? 'does not fit' : wordsOf(violation).replace('parameters', 'result');
  throw new GaterError('internal', `the answer to ${method} is not what the protocol says: ${words}`);
}
