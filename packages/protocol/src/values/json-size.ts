import { invalidArgument } from '@esdb-gater/types';
import { describe } from '../schemas/explain.ts';

/** Deepest nesting of a message that a caller sends. */
export const MAX_DEPTH = 128;

/**
 * Deepest nesting of an event, a message's content or a snapshot's record. Less than that of a message, as they
 * come back inside of others: pages, batches, notifications.
 */
export const MAX_VALUE_DEPTH = 100;

/**
 * True when brackets outside of strings nest deeper than `limit`. One pass, nothing allocated, and it ends
 * where the limit is passed: what is refused here is never parsed.
 */
export function nestsDeeper(text: string, limit: number = MAX_DEPTH): boolean {
  // Every level needs an opening and, in a text that parses, a closing bracket.
  if (text.length <= 2 * limit) return false;
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case 0x22:
        at = endOfString(text, at);
        break;
      case 0x5b:
      case 0x7b:
        if (++depth > limit) return true;
        break;
      case 0x5d:
      case 0x7d:
        depth--;
        break;
    }
  }
  return false;
}

/** Where the string that begins at `start` ends: at its closing quote, or at the end of the text. */
function endOfString(text: string, start: number): number {
  let from = start + 1;
  for (;;) {
    const quote = text.indexOf('"', from);
    if (quote === -1) return text.length;
    let escapes = 0;
    while (text.charCodeAt(quote - 1 - escapes) === 0x5c) escapes++;
    if (escapes % 2 === 0) return quote;
    from = quote + 1;
  }
}

const encoder = new TextEncoder();

/** Length of a text in UTF-8. Texts that cannot pass `limit` are not encoded; then what is given is an upper bound. */
export function utf8Bytes(text: string, limit = 0): number {
  const most = text.length * 3;
  if (most <= limit) return most;
  return encoder.encode(text).length;
}

/** What a walk over a value found. */
interface Walk {
  /** At least as many bytes as the value's JSON has. */
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
 * Walks a value that a caller handed in.
 *
 * @param path names the value in errors
 * @returns an upper bound of its JSON's bytes, and whether the value differs from its own JSON form
 * @throws `invalid_argument`, reason `json`, for what JSON cannot carry: functions, symbols, bigints, NaN and
 * infinities, nesting over 100 levels (so cycles, too)
 */
export function walkJson(
  value: unknown,
  path: string,
): { readonly bytes: number; readonly differs: boolean } {
  const walk: Walk = { bytes: 0, differs: false };
  if (!visit(value, 0, walk) && walk.problem !== undefined) {
    const { actual, expected } = walk.problem;
    const where = path + walk.problem.path;
    throw invalidArgument('json', `\`${where}\` is ${actual}, expected ${expected}`, {
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
      return fail(walk, describe(value), 'a JSON value');
  }
  if (value === null) {
    walk.bytes += 4;
    return true;
  }
  if (depth >= MAX_VALUE_DEPTH) {
    return fail(walk, 'nested too deeply', `at most ${MAX_VALUE_DEPTH} levels`);
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
    return visit((value['toJSON'] as () => unknown)(), depth + 1, walk);
  }
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

function fail(walk: Walk, actual: string, expected: string): false {
  walk.problem = { actual, expected, path: '' };
  return false;
}

function within(walk: Walk, step: string): false {
  // A path says where to look; of a deep one its inner end does.
  if (walk.problem !== undefined && walk.problem.path.length < 256)
    walk.problem.path = step + walk.problem.path;
  return false;
}
