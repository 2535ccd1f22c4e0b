import { describeType, isBytes } from '@esdb-gater/primitives';
import { invalidArgument } from '@esdb-gater/types';

/** More than anything here is made for; both engines stop at the same size. */
const MAX_BYTES = 67_108_864;

/** `value` as bytes, up to 64 MiB. @throws `invalid_argument`, reason `type`, `length` or `too_large` */
export function bytesArgument(value: unknown, name: string, length?: number): Uint8Array {
  if (!isBytes(value))
    throw invalidArgument('type', `${name} is ${describeType(value)}; expected a Uint8Array`);
  if (length !== undefined && value.length !== length) {
    throw invalidArgument('length', `${name} has ${value.length} bytes; expected ${length}`);
  }
  if (value.length > MAX_BYTES) {
    throw invalidArgument('too_large', `${name} has ${value.length} bytes; expected at most ${MAX_BYTES}`);
  }
  if (value.length === 0 && (value.buffer as { readonly detached?: boolean }).detached === true) {
    throw invalidArgument('type', `${name} is detached: its memory was transferred elsewhere`);
  }
  return value;
}

/** @throws `invalid_argument`, reason `type` */
export function textArgument(value: unknown, name: string): string {
  if (typeof value !== 'string')
    throw invalidArgument('type', `${name} is ${describeType(value)}; expected a text`);
  return value;
}

/** @throws `invalid_argument`, reason `type` or `lone_surrogate` */
export function wellFormedArgument(value: unknown, name: string): string {
  const text = textArgument(value, name);
  if (!text.isWellFormed()) throw invalidArgument('lone_surrogate', `${name} has a lone surrogate`);
  return text;
}

/** True for an object that JSON would write with braces: plain, of any realm, or without a prototype. */
export function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype || Object.getPrototypeOf(prototype) === null;
}

/** @throws `invalid_argument`, reason `type` */
export function objectArgument(value: unknown, name: string): Record<string, unknown> {
  if (!isPlainObject(value))
    throw invalidArgument('type', `${name} is ${describeType(value)}; expected an object`);
  return value;
}
