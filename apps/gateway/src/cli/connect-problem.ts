import { GaterError } from '@esdb-gater/types';

/** Errors of the certificate of a gateway, in words. */
const CERTIFICATE_PROBLEMS: Readonly<Record<string, string>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: 'self-signed certificate',
  SELF_SIGNED_CERT_IN_CHAIN: 'certificate of an unknown authority',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'certificate of an unknown authority',
  UNABLE_TO_GET_ISSUER_CERT: 'certificate of an unknown authority',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'certificate of an unknown authority',
};

const NETWORK_PROBLEMS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused; is the gateway started (`esdb-gater start`)?',
  ENOTFOUND: 'its host name does not exist in DNS',
  EAI_AGAIN: 'DNS does not answer for its host name',
  EHOSTUNREACH: 'its host cannot be reached',
  ENETUNREACH: 'its network cannot be reached',
  ETIMEDOUT: 'its host does not answer',
  CERT_HAS_EXPIRED: 'its certificate has expired; renew it',
  CERT_NOT_YET_VALID: 'its certificate is not valid yet; check the clocks',
};

/** What a TLS client reports of a server that answers in plain HTTP. */
const NOT_TLS = /wrong version number|packet length too long|EPROTO|http request/i;

/**
 * Says in one sentence why no connection to `url` came about, and what to do about it. An error that is not of the
 * network, such as a refused token, stays as it is.
 */
export function connectProblem(url: string, error: unknown): unknown {
  if (GaterError.is(error) && error.code !== 'unavailable') return error;
  const reason = reasonOf(url, causesOf(error));
  return new GaterError('unavailable', `cannot connect to ${url}: ${reason}`, { cause: error });
}

function reasonOf(url: string, causes: readonly Error[]): string {
  const codes = causes.map((cause) => (cause as NodeJS.ErrnoException).code ?? '');
  const certificate = wordsFor(CERTIFICATE_PROBLEMS, codes);
  if (certificate !== undefined) return `${certificate} (pass \`--ca-file\`, or fix the certificate)`;
  const network = wordsFor(NETWORK_PROBLEMS, codes);
  if (network !== undefined) return network;
  const isTls = url.startsWith('wss:');
  const deepest = causes.at(-1);
  if (codes.includes('ERR_TLS_CERT_ALTNAME_INVALID')) {
    return `the certificate is for another host name: ${deepest?.message ?? ''}`;
  }
  if (isTls && causes.some(({ message }) => NOT_TLS.test(message))) {
    return 'it does not speak TLS; use ws:// instead of wss://';
  }
  const ended = codes.includes('ECONNRESET') || codes.some((code) => code.startsWith('HPE_'));
  if (!isTls && ended)
    return 'it closed the connection without an answer; if it uses TLS, use wss:// instead of ws://';
  return deepest?.message ?? 'no gateway answered';
}

function wordsFor(table: Readonly<Record<string, string>>, codes: readonly string[]): string | undefined {
  const code = codes.find((one) => Object.hasOwn(table, one));
  return code === undefined ? undefined : table[code];
}

/** Returns an error and its causes, the deepest last; of several at once (one per address) the first. */
function causesOf(error: unknown): readonly Error[] {
  const causes: Error[] = [];
  for (let at: unknown = error; at instanceof Error && causes.length < 10; ) {
    causes.push(at);
    at = at instanceof AggregateError ? at.errors[0] : at.cause;
  }
  return causes;
}
