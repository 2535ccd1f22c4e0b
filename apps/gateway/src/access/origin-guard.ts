import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { hostname as machineName } from 'node:os';
import { GaterError, invalidArgument, type Logger } from '@esdb-gater/types';
import { parseAllowedOrigin } from '../config/allowed-origin.ts';
import { isLoopbackHost } from '../config/load-config.ts';

export interface OriginGuardOptions {
  /** `config.host`. */
  readonly host: string;
  /** The port that the gateway listens on. */
  readonly port: number;
  readonly tls: boolean;
  readonly advertiseUrl: string | null;
  /** Origins that are allowed in addition to the gateway's own. */
  readonly allowedOrigins: readonly string[] | null;
  /** True when every call needs a token, so that a page of a rebound name cannot do anything. */
  readonly tokensRequired: boolean;
}

export type OriginVerdict = 'allowed' | 'host_not_allowed' | 'origin_not_allowed';

/**
 * Refuses pages of other sites (cross-site WebSocket hijacking) and names that an attacker made resolve to this
 * machine (DNS rebinding). Browsers cannot leave out or forge these two headers; other programs send no `Origin`.
 */
export interface OriginGuard {
  check(headers: { readonly host?: string | undefined; readonly origin?: string | undefined }): OriginVerdict;
}

const LOOPBACK_NAMES = ['localhost', '127.0.0.1', '[::1]'];

/** The most refused values to log: callers choose them. */
const MAX_LOGGED = 100;
const MAX_LOGGED_UNITS = 200;

export function createOriginGuard(
  { logger }: { readonly logger: Logger },
  options: OriginGuardOptions,
): OriginGuard {
  const { hosts, origins } = allowedNames(options);
  const loopback = isLoopbackHost(options.host);
  const logged = new Set<string>();

  function isAllowedHost(host: string): boolean {
    const name = hostnameOf(host);
    if (hosts.has(name)) return true;
    // Beyond loopback the names of a gateway are up to its network, and tokens protect it. Without them only addresses
    // remain, since a rebound name is never one.
    return !loopback && (options.tokensRequired || isIP(name.replace(/^\[|\]$/g, '')) !== 0);
  }

  function refuse(verdict: Exclude<OriginVerdict, 'allowed'>, value: string): OriginVerdict {
    const entry = `${verdict} ${value}`;
    if (logged.size >= MAX_LOGGED || logged.has(entry)) return verdict;
    logged.add(entry);
    const [header, key] = HEADERS[verdict];
    logger.warn(
      { [header.toLowerCase()]: value.slice(0, MAX_LOGGED_UNITS), key },
      `refused a request with a foreign ${header} header; to allow it, set ${key}`,
    );
    return verdict;
  }

  return {
    check({ host, origin }) {
      if (host !== undefined && !isAllowedHost(host)) return refuse('host_not_allowed', host);
      if (origin !== undefined && !origins.has(origin.toLowerCase()))
        return refuse('origin_not_allowed', origin);
      return 'allowed';
    },
  };
}

/** Returns the names and origins of the gateway itself, and the configured ones. */
function allowedNames(options: OriginGuardOptions): {
  readonly hosts: ReadonlySet<string>;
  readonly origins: ReadonlySet<string>;
} {
  const anyAddress = isAnyAddress(options.host);
  const bracketed = isIP(options.host) === 6 ? `[${options.host}]` : options.host.toLowerCase();
  const own = [bracketed, ...(isLoopbackHost(options.host) || anyAddress ? LOOPBACK_NAMES : [])];
  const scheme = options.tls ? 'https' : 'http';
  const hosts = new Set([...own, ...(anyAddress ? [machineName().toLowerCase()] : [])]);
  const allowed = [
    ...own.map((host) => `${scheme}://${host}:${options.port}`),
    // The page of `ws://…` is `http://…`, and that of `wss://…` is `https://…`.
    ...(options.advertiseUrl === null ? [] : [siteOf(options.advertiseUrl)]),
    ...(options.allowedOrigins ?? []),
  ].flatMap((text) => parseAllowedOrigin(text) ?? []);
  for (const { hostname } of allowed) hosts.add(hostname);
  return { hosts, origins: new Set(allowed.map(({ origin }) => origin)) };
}

function siteOf(webSocketUrl: string): string {
  const url = URL.parse(webSocketUrl);
  return url === null ? '' : `${url.protocol === 'wss:' ? 'https' : 'http'}://${url.host}`;
}

function isAnyAddress(host: string): boolean {
  return host === '0.0.0.0' || host === '::' || host === '[::]';
}

/** Returns the host of a `Host` header without its port, in lower case. */
function hostnameOf(host: string): string {
  const match = /^(\[[0-9a-f:.]+\]|[^:]*)(?::\d*)?$/i.exec(host.trim());
  return (match?.[1] ?? host).toLowerCase().replace(/\.$/, '');
}

const HEADERS = {
  host_not_allowed: ['Host', 'advertiseUrl'],
  origin_not_allowed: ['Origin', 'http.allowedOrigins'],
} as const;

/** Creates the error for a page that may not use this gateway. */
export function forbiddenRequest(verdict: Exclude<OriginVerdict, 'allowed'>): GaterError {
  const [header, key] = HEADERS[verdict];
  return new GaterError('unauthorized', `the ${header} of this request is not allowed here (see ${key})`, {
    details: { reason: verdict },
  });
}

/** Returns the error of a request with several `Host` headers, of which Node.js reads the first. */
export function findHostError({ headersDistinct }: IncomingMessage): GaterError | undefined {
  const count = headersDistinct['host']?.length ?? 0;
  return count > 1 ? invalidArgument('host', `a request must have one Host header, got ${count}`) : undefined;
}
