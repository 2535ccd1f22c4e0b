import { describeType, JSON_DEPTH } from '@esdb-gater/primitives';
import { invalidArgument } from '@esdb-gater/types';
import { isPlainObject } from '../arguments.ts';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** Returns true for short printable ASCII that JSON does not escape, for which this beats a call of `JSON.stringify`. */
function isPlain(text: string): boolean {
  if (text.length > 40) return false;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x20 || unit > 0x7e || unit === QUOTE || unit === BACKSLASH) return false;
  }
  return true;
}

/** Sorts names by UTF-16 units, the order of `<` and of RFC 8785. Most objects are in that order already. */
function sorted(names: string[]): string[] {
  for (let i = 1; i < names.length; i++) {
    if ((names[i - 1] ?? '') > (names[i] ?? '')) return names.sort();
  }
  return names;
}

class Writer {
  /** The names and indices that lead to the current value: for errors, and as the depth. */
  readonly #path: (string | number)[] = [];

  value(value: unknown): string {
    switch (typeof value) {
      case 'string':
        return this.#text(value);
      case 'number':
        // RFC 8785 uses ECMAScript's format of numbers, in which -0 is written as 0.
        if (!Number.isFinite(value)) throw this.#error('number', `must be a finite number, got ${value}`);
        return String(value);
      case 'boolean':
        return value ? 'true' : 'false';
      case 'object':
        if (value === null) return 'null';
        if (Array.isArray(value)) return this.#array(value);
        if (isPlainObject(value)) return this.object(value);
    }
    const what = typeof value === 'object' ? `an object of class ${className(value)}` : describeType(value);
    throw this.#error('type', `must be a JSON value, got ${what}`);
  }

  /** @param omitted the name of a member to leave out at this level */
  object(value: Readonly<Record<string, unknown>>, omitted?: string): string {
    this.#checkDepth();
    let json = '{';
    for (const name of sorted(Object.keys(value))) {
      if (name === omitted) continue;
      this.#path.push(name);
      json += `${json === '{' ? '' : ','}${this.#text(name)}:${this.value(value[name])}`;
      this.#path.pop();
    }
    return `${json}}`;
  }

  #array(value: readonly unknown[]): string {
    this.#checkDepth();
    let json = '[';
    for (let i = 0; i < value.length; i++) {
      this.#path.push(i);
      json += i === 0 ? this.value(value[i]) : `,${this.value(value[i])}`;
      this.#path.pop();
    }
    return `${json}]`;
  }

  #text(text: string): string {
    if (isPlain(text)) return `"${text}"`;
    if (!text.isWellFormed()) throw this.#error('lone_surrogate', 'has a lone surrogate');
    return JSON.stringify(text);
  }

  #checkDepth(): void {
    if (this.#path.length < JSON_DEPTH.canonical) return;
    throw invalidArgument('depth', `the value has a cycle or more than ${JSON_DEPTH.canonical} levels`);
  }

  #error(reason: string, what: string): Error {
    const path = this.#path.map((part) => `/${String(part).toWellFormed()}`).join('');
    return invalidArgument(reason, `the value at "${path}" ${what}`, { path });
  }
}

function className(value: object | null): string {
  const maker: unknown = value?.constructor;
  return typeof maker === 'function' && maker.name !== '' ? maker.name : 'its own';
}

/**
 * Serialises a JSON value in its canonical form, RFC 8785 (JCS). Members whose value
 * is `undefined`, class instances, non-finite numbers and lone surrogates are refused, not dropped, since the
 * other side would see another value than the one that was signed.
 *
 * @throws `invalid_argument` with `path` and the reason `type`, `number`, `lone_surrogate` or `depth` (over 256
 * levels, or a cycle)
 */
export function canonicalJson(value: unknown): string {
  return new Writer().value(value);
}

/** Serialises an object like `canonicalJson`, without one of its members. */
export function canonicalJsonWithout(value: Readonly<Record<string, unknown>>, omitted: string): string {
  return new Writer().object(value, omitted);
}
