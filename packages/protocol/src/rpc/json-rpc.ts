import { type InexactNumber, JSON_DEPTH, nestsDeeper, type TraceContext } from '@esdb-gater/primitives';
import { type GaterError, invalidArgument, LIMITS, RawJson } from '@esdb-gater/types';
import { RPC_CODES, type RpcError } from './rpc-errors.ts';

export type RpcId = string | number | null;

/** One element of a message. */
export type Inbound =
  | {
      readonly kind: 'call';
      /** Undefined for a notification. */
      readonly id: RpcId | undefined;
      readonly method: string;
      readonly params: unknown;
      readonly traceparent: unknown;
      readonly tracestate: unknown;
      /** A number in the content that parsing changed. */
      readonly inexact?: InexactNumber;
    }
  | {
      readonly kind: 'answer';
      readonly id: unknown;
      readonly result: unknown;
      readonly error: unknown;
      readonly inexact?: InexactNumber;
    }
  | { readonly kind: 'invalid'; readonly id: RpcId; readonly code: number; readonly error: GaterError };

/** A message: one element, or a batch of them. */
export type InboundMessage = Inbound | readonly Inbound[];

/** Maximum length of an id, in UTF-16 units. */
const ID_UNITS = 1_024;

function isId(value: unknown): value is RpcId {
  if (value === null) return true;
  if (typeof value === 'string') return value.length <= ID_UNITS;
  // A number that a double does not hold exactly would be returned changed.
  return typeof value === 'number' && Math.abs(value) <= Number.MAX_SAFE_INTEGER;
}

function invalid(
  reason: string,
  message: string,
  id: RpcId = null,
  code: number = RPC_CODES.invalidRequest,
): Inbound {
  return { kind: 'invalid', id, code, error: invalidArgument(reason, message) };
}

function classify(value: unknown): Inbound {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return invalid('request', 'a request must be an object');
  }
  const { jsonrpc, id, method, params, result, error, traceparent, tracestate } = value as Partial<
    Record<string, unknown>
  >;
  if (method === undefined && ('result' in value || 'error' in value)) {
    return { kind: 'answer', id, result, error };
  }
  if (id !== undefined && !isId(id)) {
    return invalid(
      'request',
      `\`id\` must be a string of at most ${ID_UNITS} UTF-16 units or a safe integer`,
    );
  }
  if (jsonrpc !== '2.0') return invalid('request', '`jsonrpc` must be "2.0"', id ?? null);
  if (typeof method !== 'string') return invalid('request', '`method` must be a string', id ?? null);
  if (Array.isArray(params)) {
    const positional = 'parameters must be passed by name, in an object';
    // A notification is never answered, even if its parameters are wrong.
    if (id !== undefined) return invalid('positional', positional, id, RPC_CODES.invalidParams);
  } else if (params !== undefined && (typeof params !== 'object' || params === null)) {
    return invalid('request', '`params` must be an object', id ?? null);
  }
  return { kind: 'call', id, method, params, traceparent, tracestate };
}

/** Finds numbers that a double does not hold exactly. Passed in, as a program that only reads does without. */
export interface ExactNumbers {
  /**
   * Returns the first such number in the content of each element, by its place in the batch, or 0.
   *
   * @param value the text as `JSON.parse` reads it
   */
  find(text: string, value: unknown): ReadonlyMap<number, InexactNumber> | undefined;
  /** Returns the error for an answer that contains such a number. */
  error(number: InexactNumber): GaterError;
}

/**
 * Parses a message. Never throws. If a member occurs twice, the last one counts, as in `JSON.parse`; names such as
 * `__proto__` are ordinary names.
 *
 * @param exactNumbers finds numbers in the content that parsing changes
 */
export function parseMessage(
  text: string,
  maxDepth: number = JSON_DEPTH.frame,
  exactNumbers?: ExactNumbers,
): InboundMessage {
  if (nestsDeeper(text, maxDepth)) return invalid('too_deep', 'the message is nested too deeply');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return invalid('parse', 'invalid JSON', null, RPC_CODES.parseError);
  }
  const inexact = exactNumbers?.find(text, value);
  if (!Array.isArray(value)) return withNumber(classify(value), inexact?.get(0));
  if (value.length < 1 || value.length > LIMITS.batchRequests) {
    return invalid('batch', `a batch must have 1 to ${LIMITS.batchRequests} requests, got ${value.length}`);
  }
  return value.map((element, index) => withNumber(classify(element), inexact?.get(index)));
}

function withNumber(element: Inbound, inexact: InexactNumber | undefined): Inbound {
  return inexact === undefined || element.kind === 'invalid' ? element : { ...element, inexact };
}

/** Encodes an answer. A `RawJson` is inserted as it is. */
export function encodeResult(id: RpcId, result: unknown): string {
  return `{"jsonrpc":"2.0","id":${idText(id)},"result":${textOf(result)}}`;
}

export function encodeError(id: RpcId, error: RpcError): string {
  return `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"error":${JSON.stringify(error)}}`;
}

export function encodeRequest(id: RpcId, method: string, params: unknown, trace?: TraceContext): string {
  return `{"jsonrpc":"2.0","id":${idText(id)},"method":${JSON.stringify(method)},"params":${JSON.stringify(params ?? {})}${traceMembers(trace)}}`;
}

/** Encodes a call that is not answered. */
export function encodeNotification(method: string, params: unknown, trace?: TraceContext): string {
  return `{"jsonrpc":"2.0","method":${JSON.stringify(method)},"params":${textOf(params ?? {})}${traceMembers(trace)}}`;
}

/** The members of a trace context, which stand beside `jsonrpc`. */
function traceMembers(trace: TraceContext | undefined): string {
  if (trace?.traceparent === undefined) return '';
  const { traceparent, tracestate } = trace;
  const state = tracestate === undefined ? '' : `,"tracestate":${JSON.stringify(tracestate)}`;
  return `,"traceparent":${JSON.stringify(traceparent)}${state}`;
}

/** A finite number is the same text in JSON and in JavaScript. */
function idText(id: RpcId): string {
  return typeof id === 'number' ? `${id}` : JSON.stringify(id);
}

function textOf(value: unknown): string {
  return value instanceof RawJson ? value.text : (JSON.stringify(value) ?? '{}');
}
