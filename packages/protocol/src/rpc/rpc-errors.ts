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

/** The JSON-RPC number of an error: one for each of the two codes that have their own, else -32000. */
export function rpcCode(code: ErrorCode): number {
  if (code === 'invalid_argument') return RPC_CODES.invalidParams;
  if (code === 'not_supported') return RPC_CODES.methodNotFound;
  return RPC_CODES.serverError;
}

/** The `error` member for `error`. Its cause stays here. */
export function toRpcError(error: GaterError, code: number = rpcCode(error.code)): RpcError {
  return { code, message: error.message, data: error.toData() };
}

/** What a number means when another program sent no `data` with it. */
const MEANINGS: ReadonlyMap<unknown, ErrorCode> = new Map<unknown, ErrorCode>([
  [RPC_CODES.parseError, 'invalid_argument'],
  [RPC_CODES.invalidRequest, 'invalid_argument'],
  [RPC_CODES.invalidParams, 'invalid_argument'],
  [RPC_CODES.methodNotFound, 'not_supported'],
]);

/** The error that an answer carries; an unknown one is `internal`. Never throws, whatever `error` is. */
export function fromRpcError(error: unknown): GaterError {
  if (typeof error !== 'object' || error === null) {
    return new GaterError('internal', 'the other side answered with an error that is none');
  }
  const { code, message, data } = error as Partial<Record<string, unknown>>;
  const text = typeof message === 'string' ? message : 'an error without a message';
  if (typeof data === 'object' && data !== null && 'code' in data) return GaterError.fromData(text, data);
  return new GaterError(MEANINGS.get(code) ?? 'internal', text);
}
