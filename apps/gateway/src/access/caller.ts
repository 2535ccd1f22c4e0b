import type { Socket } from 'node:net';
import { GaterError } from '@esdb-gater/types';
import type { VerifiedGrant } from './grants.ts';
import { senderOf } from './sender-limiter.ts';

/** The sender of a call, whatever transport it uses. */
export interface Caller {
  /** The remote address. */
  readonly address: string;
  /** True when the call comes from this machine. */
  readonly loopback: boolean;
}

/** The context of a call: everything but its method and parameters. */
export interface Call {
  readonly caller: Caller;
  /** The token in effect: the one of the call, else the one of the connection. */
  readonly grant?: VerifiedGrant;
  readonly signal?: AbortSignal;
  readonly traceparent?: string;
  readonly tracestate?: string;
}

/** Returns the sender of a request by its connection. Headers such as `X-Forwarded-For` are not trusted. */
export function callerOf(request: { readonly socket: Pick<Socket, 'remoteAddress'> }): Caller {
  const raw = request.socket.remoteAddress ?? 'unknown';
  // An IPv4 client of a dual-stack socket is the same client.
  const address = raw.startsWith('::ffff:') ? raw.slice('::ffff:'.length) : raw;
  return { address, loopback: address === '::1' || address.startsWith('127.') };
}

/** Returns whom what a call leaves behind counts for: the audience of its token, else the address of the caller. */
export function makerOf({ caller, grant }: Call): string {
  return grant?.audience ?? senderOf(caller.address);
}

/**
 * Returns the token of an `Authorization` header, undefined without one.
 *
 * @throws `unauthorized` (reason `parse_error`) for any other scheme
 */
export function bearerToken(header: string | undefined): string | undefined {
  if (header === undefined) return undefined;
  const match = /^Bearer +([A-Za-z0-9._~+/=-]+) *$/i.exec(header);
  if (match?.[1] !== undefined) return match[1];
  throw new GaterError('unauthorized', 'the Authorization header must be "Bearer <token>"', {
    details: { reason: 'parse_error' },
  });
}
