import { describeType, isBytes } from '@esdb-gater/primitives';
import { invalidArgument } from '@esdb-gater/types';

/** The largest input of either engine, far above what this package needs. */
const MAX_BYTES = 67_108_864;

/** Returns `value` as bytes, up to 64 MiB. @throws `invalid_argument`, reason `type`, `length` or `too_large` */
export function bytesArgument(value: unknown, name: string, length?: number): Uint8Array {
  if (!isBytes(value))
    throw invalidArgument('type', `${name} must be a Uint8Array, got ${describeType(value)}`);
  if (length !== undefined && value.length !== length) {
    throw invalidArgument('length', `${name} must be ${length} bytes, got ${value.length}`);
  }
  if (value.length > MAX_BYTES) {
    throw invalidArgument('too_large', `${name} must be at most ${MAX_BYTES} bytes, got ${value.length}`);
  }
  if (value.length === 0 && (value.buffer as { readonly detached?: boolean }).detached === true) {
    throw invalidArgument('type', `${name} is detached: its memory was transferred elsewhere`);
  }
  return value;
}

/** Returns `value` when it is a string. @throws `invalid_argument`, reason `type` */
export function textArgument(value: unknown, name: string): string {
  if (typeof value !== 'string')
    throw invalidArgument('type', `${name} must be a string, got ${describeType(value)}`);
  return value;
}

/** Returns `value` when it is a well-formed string. @throws `invalid_argument`, reason `type` or `lone_surrogate` */
export function wellFormedArgument(value: unknown, name: string): string {
  const text = textArgument(value, name);
  if (!text.isWellFormed()) throw invalidArgument('lone_surrogate', `${name} has a lone surrogate`);
  return text;
}

/** Returns true for an object that JSON would write with braces: plain, of any realm, or without a prototype. */
export function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype || Object.getPrototypeOf(prototype) === null;
}

/** Returns `value` when it is a plain object. @throws `invalid_argument`, reason `type` */
export function objectArgument(value: unknown, name: string): Record<string, unknown> {
  if (!isPlainObject(value))
    throw invalidArgument('type', `${name} must be an object, got ${describeType(value)}`);
  return value;
}
