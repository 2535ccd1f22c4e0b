import { type ErrorCode, GaterError } from '@esdb-gater/types';

/** The error codes of JSON-RPC 2.0. */
export const RPC_CODES = {
  parseError: -32700,
  invalidRequest: -32600,
  methodNotFound: -32601,
  invalidParams: -32602,
  serverError: -32000,
} as const;

/** The `error` of an answer. */
export interface RpcError {
  readonly code: number;
  readonly message: string;
  readonly data?: unknown;
}

/** Returns the JSON-RPC number of an error: two codes have a specific number, all others -32000. */
export function rpcCode(code: ErrorCode): number {
  if (code === 'invalid_argument') return RPC_CODES.invalidParams;
  if (code === 'not_supported') return RPC_CODES.methodNotFound;
  return RPC_CODES.serverError;
}

/** Returns the `error` member for `error`. Its cause is not sent. */
export function toRpcError(error: GaterError, code: number = rpcCode(error.code)): RpcError {
  return { code, message: error.message, data: error.toData() };
}

/** Error codes by number, for answers of other programs without `data`. */
const MEANINGS: ReadonlyMap<unknown, ErrorCode> = new Map<unknown, ErrorCode>([
  [RPC_CODES.parseError, 'invalid_argument'],
  [RPC_CODES.invalidRequest, 'invalid_argument'],
  [RPC_CODES.invalidParams, 'invalid_argument'],
  [RPC_CODES.methodNotFound, 'not_supported'],
]);

/** Returns the error of an answer; an unknown one is `internal`. Never throws. */
export function fromRpcError(error: unknown): GaterError {
  if (typeof error !== 'object' || error === null) {
    return new GaterError('internal', 'the other side answered with an invalid error');
  }
  const { code, message, data } = error as Partial<Record<string, unknown>>;
  const text = typeof message === 'string' ? message : 'an error without a message';
  if (typeof data === 'object' && data !== null && 'code' in data) return GaterError.fromData(text, data);
  return new GaterError(MEANINGS.get(code) ?? 'internal', text);
}
