import { GaterError } from '@esdb-gater/types';
import type { PermanentReason } from './permanent.ts';

/** What went wrong, why waiting may or may not help, and what to do about it. */
interface ConnectProblem {
  readonly message: string;
  /** Set when waiting does not help. */
  readonly reason?: PermanentReason;
}

const TRUST = 'trust its authority with NODE_EXTRA_CA_CERTS, or fix the certificate';

const PROBLEMS: Readonly<Record<string, ConnectProblem>> = {
  ECONNREFUSED: { message: 'connection refused; is the gateway running?' },
  ECONNRESET: { message: 'the connection was closed without an answer' },
  EHOSTUNREACH: { message: 'the host is unreachable' },
  ENETUNREACH: { message: 'the network is unreachable' },
  ETIMEDOUT: { message: 'the host does not answer' },
  EAI_AGAIN: { message: 'DNS does not answer for the host name' },
  ENOTFOUND: { message: 'the host name does not exist in DNS', reason: 'host_not_found' },
  DEPTH_ZERO_SELF_SIGNED_CERT: { message: `self-signed certificate (${TRUST})`, reason: 'certificate' },
  SELF_SIGNED_CERT_IN_CHAIN: {
    message: `certificate of an unknown authority (${TRUST})`,
    reason: 'certificate',
  },
  CERT_HAS_EXPIRED: { message: 'the certificate has expired', reason: 'certificate' },
  CERT_NOT_YET_VALID: {
    message: 'the certificate is not valid yet; check the clocks',
    reason: 'certificate',
  },
};

/** Codes that OpenSSL and Node.js use for other problems of a certificate. */
const CERTIFICATE_CODES =
  /^(?:CERT_|CRL_|UNABLE_TO_|ERR_TLS_CERT_|INVALID_CA|INVALID_PURPOSE|HOSTNAME_MISMATCH)/;

/** What a TLS client reports of a server that answers in plain text. */
const PLAIN_TEXT_ANSWER = /wrong version number|packet length too long|EPROTO|http request/i;

/** Returns the deepest cause of an error; of several attempts at once (one per address), that of the first. */
function deepestCause(error: unknown): Error & { readonly code?: string } {
  let at = error as Error;
  for (let depth = 0; depth < 10; depth++) {
    const next: unknown = at instanceof AggregateError ? at.errors[0] : at.cause;
    if (!(next instanceof Error)) break;
    at = next;
  }
  return at;
}

function problemOf(url: string, { code = '', message }: Error & { readonly code?: string }): ConnectProblem {
  const isTls = url.startsWith('wss:');
  if (isTls && (code === 'ERR_SSL_WRONG_VERSION_NUMBER' || PLAIN_TEXT_ANSWER.test(`${code} ${message}`))) {
    return { message: 'the port does not speak TLS; use ws:// instead of wss://', reason: 'not_tls' };
  }
  if (!isTls && code === 'ECONNRESET') {
    return { message: 'the connection was closed without an answer; if the port speaks TLS, use wss://' };
  }
  const known = PROBLEMS[code];
  if (known !== undefined) return known;
  if (CERTIFICATE_CODES.test(code)) return { message: `${message} (${TRUST})`, reason: 'certificate' };
  if (code.startsWith('HPE_')) {
    return {
      message: 'the port does not speak HTTP; if it speaks TLS, use wss:// instead of ws://',
      reason: 'not_http',
    };
  }
  return { message: message === '' ? code || 'unknown error' : message };
}

/** Returns the `unavailable` error for a failed attempt to connect, which says why it failed. */
export function connectError(url: string, cause: unknown): GaterError {
  const { message, reason } = problemOf(url, deepestCause(cause));
  return new GaterError('unavailable', message, {
    cause,
    ...(reason === undefined ? {} : { details: { reason } }),
  });
}

/** Returns the `unavailable` error for a response to the upgrade that does not come from a gateway. */
export function foreignResponse(status: number): GaterError {
  return new GaterError(
    'unavailable',
    `a server that is not a gateway answered with HTTP status ${status} (a proxy, or the wrong port or path)`,
    { details: { status } },
  );
}
