import { ERROR_CODES, type ErrorCode, isErrorCode } from './error-codes.ts';
import type { JsonValue } from './json.ts';

/** The details of an error: `expected`, `actual`, `reason`, `retryAfterMs` and the like. */
export type ErrorDetails = Readonly<Record<string, JsonValue>>;

/** The `data` of an error on the wire. */
export interface ErrorData {
  readonly code: ErrorCode;
  readonly retriable: boolean;
  readonly [detail: string]: JsonValue;
}

export interface GaterErrorOptions {
  readonly details?: ErrorDetails;
  /** Stays in the process; never sent over the wire. */
  readonly cause?: unknown;
}

/** The details of the codes that always have some. */
export interface DetailsByCode {
  readonly wrong_expected_version: {
    readonly streamId: string;
    readonly expected: number;
    readonly actual: number;
  };
  readonly append_condition_failed: { readonly position: number };
  readonly invalid_argument: { readonly reason: string };
  readonly unauthorized: { readonly reason: string };
  readonly invalid_signature: { readonly reason: string };
  readonly rate_limited: { readonly retryAfterMs: number };
  readonly retries_exhausted: { readonly attempts: number; readonly cause: ErrorCode };
}

/** A `GaterError` with this code and the details of that code. */
export type GaterErrorOf<Code extends ErrorCode> = GaterError & {
  readonly code: Code;
  readonly details: Code extends keyof DetailsByCode ? ErrorDetails & DetailsByCode[Code] : ErrorDetails;
};

/** A brand instead of `instanceof`, so that two copies of this package know each other's errors. */
const BRAND = Symbol.for('@esdb-gater/GaterError');

/** Members that are not overwritten when details are also set as properties. */
const RESERVED = new Set([
  'name',
  'message',
  'stack',
  'cause',
  'code',
  'retriable',
  'details',
  'toData',
  '__proto__',
  'constructor',
]);

/**
 * The only error that the public surface gives.
 *
 * Details are readable as `error.details.expected`, and as `error.expected` for short.
 */
export class GaterError extends Error {
  readonly code: ErrorCode;
  readonly retriable: boolean;
  readonly details: ErrorDetails;

  constructor(code: ErrorCode, message: string, options: GaterErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'GaterError';
    this.code = code;
    this.retriable = ERROR_CODES[code].retriable;
    this.details = Object.freeze({ ...options.details });
    Object.defineProperty(this, BRAND, { value: true });
    for (const [key, value] of Object.entries(this.details)) {
      if (!RESERVED.has(key)) Object.defineProperty(this, key, { value, enumerable: true });
    }
    // `retries_exhausted` carries `cause`, a code: as a member it stands where Error's own cause would.
    if (typeof this.details['cause'] === 'string' && options.cause === undefined) {
      Object.defineProperty(this, 'cause', { value: this.details['cause'], configurable: true });
    }
  }

  /** The `data` of this error on the wire: code, retriable and the details; never the message or the cause. */
  toData(): ErrorData {
    return { ...this.details, code: this.code, retriable: this.retriable };
  }

  /** True for a `GaterError` of this or another copy of the package. */
  static is(value: unknown): value is GaterError;
  /** The same, when it has this code: its details are typed then. */
  static is<Code extends ErrorCode>(value: unknown, code: Code): value is GaterErrorOf<Code>;
  static is(value: unknown, code?: ErrorCode): boolean {
    if (typeof value !== 'object' || value === null || (value as Record<symbol, unknown>)[BRAND] !== true) {
      return false;
    }
    return code === undefined || (value as GaterError).code === code;
  }

  /** `value` itself when it is a `GaterError`, else an `internal` one with `value` as its cause. */
  static from(value: unknown): GaterError {
    if (GaterError.is(value)) return value;
    return new GaterError('internal', 'an unexpected error; the log of the gateway has its cause', {
      cause: value,
    });
  }

  /** The error that another process sent as `data`. An unknown code becomes `internal`. */
  static fromData(message: string, data: unknown): GaterError {
    if (typeof data !== 'object' || data === null) return new GaterError('internal', message);
    const { code, retriable: _, ...details } = data as Record<string, JsonValue>;
    if (isErrorCode(code)) return new GaterError(code, message, { details });
    return new GaterError('internal', message, { details: { ...details, code: code ?? null } });
  }
}

/** Creates an `invalid_argument` error with its stable `reason` and further details. */
export function invalidArgument(reason: string, message: string, details: ErrorDetails = {}): GaterError {
  return new GaterError('invalid_argument', message, { details: { reason, ...details } });
}
