import { invalidArgument } from '@esdb-gater/types';
import { describeValue } from '../errors/describe-value.ts';
import { JSON_DEPTH } from './json-depth.ts';

/** The result of a walk over a value. */
interface Walk {
  /** An upper bound of the bytes of the value's JSON. */
  bytes: number;
  /** True when something must change on the way to JSON: a member that is undefined, a `toJSON`. */
  differs: boolean;
  problem?: Problem;
}

/** Filled from the inside out while the walk returns, so that a walk without one builds no path. */
interface Problem {
  readonly actual: string;
  readonly expected: string;
  path: string;
}

/**
 * Checks a caller's value by walking through it.
 *
 * @param path names the value in errors
 * @returns an upper bound of its JSON's bytes, and whether the value differs from its own JSON form
 * @throws `invalid_argument`, reason `json`, for what JSON cannot carry: functions, symbols, bigints, NaN and
 * infinities, invalid dates, instances of classes without `toJSON` (`Map`, `Set`, `RegExp` too), nesting over 100
 * levels (so cycles, too)
 */
export function walkJson(
  value: unknown,
  path: string,
): { readonly bytes: number; readonly differs: boolean } {
  const walk: Walk = { bytes: 0, differs: false };
  if (!visit(value, 0, walk) && walk.problem !== undefined) {
    const { actual, expected } = walk.problem;
    const where = path + walk.problem.path;
    throw invalidArgument('json', `\`${where}\` must be ${expected}, got ${actual}`, {
      path: where,
      actual,
      expected,
    });
  }
  return walk;
}

/** Adds `value` to the walk. False when there is a problem. */
function visit(value: unknown, depth: number, walk: Walk): boolean {
  switch (typeof value) {
    case 'string':
      // A unit takes at most six bytes: \u001f, or three as UTF-8.
      walk.bytes += 2 + value.length * 6;
      return true;
    case 'number':
      walk.bytes += 25;
      return Number.isFinite(value) || fail(walk, String(value), 'a finite number');
    case 'boolean':
      walk.bytes += 5;
      return true;
    case 'object':
      break;
    default:
      return fail(walk, value === undefined ? 'nothing' : describeValue(value), 'a JSON value');
  }
  if (value === null) {
    walk.bytes += 4;
    return true;
  }
  if (depth >= JSON_DEPTH.value) {
    return fail(walk, 'more', `nested at most ${JSON_DEPTH.value} levels deep`);
  }
  if (Array.isArray(value)) {
    walk.bytes += 2 + value.length;
    for (let index = 0; index < value.length; index++) {
      if (!visit(value[index], depth + 1, walk)) return within(walk, `[${index}]`);
    }
    return true;
  }
  return visitObject(value as Record<string, unknown>, depth, walk);
}

function visitObject(value: Record<string, unknown>, depth: number, walk: Walk): boolean {
  if (typeof value['toJSON'] === 'function') {
    walk.differs = true;
    // JSON.stringify would write null.
    if (isDate(value) && Number.isNaN(value.getTime())) return fail(walk, 'an invalid Date', 'a valid Date');
    return visit((value['toJSON'] as () => unknown)(), depth + 1, walk);
  }
  if (!isPlain(value)) return fail(walk, `an instance of ${classOf(value)}`, 'a JSON value');
  walk.bytes += 2;
  for (const key of Object.keys(value)) {
    const member = value[key];
    if (member === undefined) {
      walk.differs = true;
      continue;
    }
    walk.bytes += 4 + key.length * 6;
    if (!visit(member, depth + 1, walk)) return within(walk, `.${key.slice(0, 64)}`);
  }
  return true;
}

/** Returns true for objects made by `{…}`, JSON.parse and `Object.create(null)`, in this or another realm. */
function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype || Object.getPrototypeOf(prototype) === null;
}

function isDate(value: object): value is Date {
  return Object.prototype.toString.call(value) === '[object Date]';
}

function classOf(value: object): string {
  const { name } = (value.constructor ?? {}) as { readonly name?: unknown };
  return typeof name === 'string' && name !== '' ? name.slice(0, 64) : 'a class';
}

function fail(walk: Walk, actual: string, expected: string): false {
  walk.problem = { actual, expected, path: '' };
  return false;
}

function within(walk: Walk, step: string): false {
  // Of a long path only the inner end is kept, which shows where to look.
  if (walk.problem !== undefined && walk.problem.path.length < 256)
    walk.problem.path = step + walk.problem.path;
  return false;
}
